import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { type EventEmitter, once } from 'node:events';
import { createServer } from 'node:net';

/** Below those that the system gives to whoever connects: nobody gets it between this and the start of the gateway. */
function somePort(): number {
  return randomInt(15_000, 32_000);
}

/** A TCP port that nobody listens on at this moment. */
export async function freeTcpPort(): Promise<number> {
  const server = createServer();
  for (;;) {
    const port = somePort();
    server.listen(port);
    if (!(await isBound(server))) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** A UDP port that nobody uses at this moment. */
export async function freeUdpPort(): Promise<number> {
  for (;;) {
    const socket = createSocket('udp4');
    const port = somePort();
    socket.bind(port);
    if (!(await isBound(socket))) continue;
    socket.close();
    await once(socket, 'close');
    return port;
  }
}

const isBound = (socket: EventEmitter): Promise<boolean> =>
  once(socket, 'listening').then(
    () => true,
    () => false,
  );
