import type { Server } from 'node:http';

/** How long answers under way get before their connections are cut. */
const GRACE = 2_000;

/** Stops accepting, lets running answers end, then closes what is left. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), GRACE);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
