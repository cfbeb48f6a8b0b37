import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const HOST = '127.0.0.1';
/** Below the ports that the kernel gives out by itself, so that nobody gets one of ours while its server is down. */
const FIRST = 12_000;
const LAST = 31_999;

/** A TCP port of the loopback interface that is ours until `release`, or until this process is gone. */
export interface ReservedPort {
  readonly port: number;
  release(): void;
}

/**
 * The UDP port of the same number stands for the TCP port: held by this process, it tells all others, which ask in the
 * same way, that a server of ours is or will be there. Nothing has to be cleaned up after a kill -9.
 */
export async function reservePort(): Promise<ReservedPort> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1));
    const release = await hold(port);
    if (!release) continue;
    if (await isFree(port)) return { port, release };
    release();
  }
}

function hold(port: number): Promise<(() => void) | undefined> {
  const socket = createSocket({ type: 'udp4', reuseAddr: false });
  return new Promise((resolve) => {
    socket.once('error', () => resolve(undefined));
    socket.bind({ port, address: HOST, exclusive: true }, () => {
      socket.unref();
      resolve(() => socket.close());
    });
  });
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen({ port, host: HOST, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
