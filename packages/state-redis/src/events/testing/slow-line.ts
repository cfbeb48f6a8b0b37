import { connect, createServer, type Server, type Socket } from 'node:net';
import type { RedisAddress } from '@tandem/core';

/** A line to a server that can be made to hold back what is sent to it. */
export class SlowLine {
  readonly #sockets = new Set<Socket>();
  readonly #held = new Set<Socket>();
  #holding = false;

  private constructor(
    private readonly server: Server,
    readonly address: RedisAddress,
  ) {}

  static async open(to: RedisAddress): Promise<SlowLine> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const bound = server.address();
    const port = typeof bound === 'object' && bound ? bound.port : 0;
    const line = new SlowLine(server, { ...to, nodes: [{ host: '127.0.0.1', port }] });
    server.on('connection', (near) => line.#join(near, connect(to.nodes[0]?.port ?? 0, '127.0.0.1')));
    return line;
  }

  hold(): void {
    this.#holding = true;
    for (const socket of this.#held) socket.pause();
  }

  release(): void {
    this.#holding = false;
    for (const socket of this.#held) socket.resume();
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.server.close();
  }

  #join(near: Socket, far: Socket): void {
    this.#held.add(near);
    near.on('data', (data) => far.write(data));
    far.on('data', (data) => near.write(data));
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => other.destroy());
    }
    if (this.#holding) near.pause();
  }
}
