import type { Server } from 'node:http';
import type { Millis } from '@tandem/core';

/** How long answers under way get before their connections are cut. */
const GRACE: Millis = 2_000;
/** What was answered last must have left. */
const LEAST_GRACE: Millis = 200;

/**
 * Stops accepting, lets running answers end, then closes what is left.
 * @param elapsed how much of their time they have had
 */
export function closeServer(server: Server, elapsed: Millis = 0): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), Math.max(GRACE - elapsed, LEAST_GRACE));
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
