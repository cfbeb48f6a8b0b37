import { connect, createServer, type Server, type Socket } from 'node:net';
import type { RedisAddress } from '@tandem/core';

/** An address behind which the server can change, and whose connections can go silent, as behind a name or a firewall. */
export class MovingName {
  readonly #sockets = new Set<Socket>();
  readonly #silent = new Set<Socket>();
  #server!: Server;
  /** Connections that were made so far. */
  connections = 0;

  /** @param port of the server that new connections lead to */
  static async open(port: number): Promise<MovingName> {
    const name = new MovingName(port);
    name.#server = createServer((socket) => name.#accept(socket));
    await new Promise<void>((resolve) => name.#server.listen(0, '127.0.0.1', resolve));
    return name;
  }

  private constructor(public port: number) {}

  get address(): RedisAddress {
    const bound = this.#server.address();
    const port = typeof bound === 'object' && bound ? bound.port : 0;
    return { nodes: [{ host: '127.0.0.1', port }], tls: false, username: undefined, password: undefined, database: 0 };
  }

  /** Nothing more comes through the connections there are; new ones work. */
  silence(): void {
    for (const socket of this.#sockets) this.#silent.add(socket);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    this.connections++;
    const server = connect(this.port, '127.0.0.1');
    for (const [from, to] of [
      [socket, server],
      [server, socket],
    ] as const) {
      this.#sockets.add(from);
      from.on('data', (data) => {
        if (!this.#silent.has(from)) to.write(data);
      });
      from.on('error', () => {});
      from.on('close', () => {
        this.#sockets.delete(from);
        this.#silent.delete(from);
        if (!this.#silent.has(to)) to.destroy();
      });
    }
  }
}
