import { connect, createServer, type Server, type Socket } from 'node:net';
import type { RedisAddress } from '@tandem/core';

const HOST = '127.0.0.1';

/** A way to Redis that can be cut and held up. */
export class CuttingProxy {
  readonly #sockets = new Set<Socket>();
  #held: (() => void)[] | undefined;
  #cutAtAnswer: { readonly text: string; readonly cut: () => void } | undefined;

  private constructor(
    private readonly server: Server,
    private readonly target: number,
  ) {
    server.on('connection', (client) => this.#join(client));
  }

  static async start(target: number): Promise<CuttingProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
    return new CuttingProxy(server, target);
  }

  get address(): RedisAddress {
    const bound = this.server.address();
    if (bound === null || typeof bound === 'string') throw new Error('the proxy is not listening');
    const nodes = [{ host: HOST, port: bound.port }];
    return { nodes, tls: false, username: undefined, password: undefined, database: 0 };
  }

  /** The next answer of Redis that holds the text does not arrive: all connections end instead. Resolves when that has happened. */
  cutNextAnswer(text = ''): Promise<void> {
    return new Promise((cut) => {
      this.#cutAtAnswer = { text, cut };
    });
  }

  /** Nothing goes through, either way, until `release`. */
  hold(): void {
    this.#held = [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const go of held) go();
  }

  stop(): void {
    this.server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(client: Socket): void {
    const redis = connect(this.target, HOST);
    for (const socket of [client, redis]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true).on('error', () => {});
    }
    const end = () => {
      for (const socket of [client, redis]) {
        socket.destroy();
        this.#sockets.delete(socket);
      }
    };
    client.on('data', (bytes) => this.#pass(() => redis.write(bytes)));
    redis.on('data', (bytes) => this.#pass(() => this.#answer(client, bytes)));
    client.on('close', end);
    redis.on('close', end);
  }

  #pass(go: () => void): void {
    if (this.#held) this.#held.push(go);
    else go();
  }

  #answer(client: Socket, bytes: Buffer): void {
    const at = this.#cutAtAnswer;
    if (!at || !bytes.includes(at.text)) {
      client.write(bytes);
      return;
    }
    this.#cutAtAnswer = undefined;
    for (const socket of this.#sockets) socket.destroy();
    at.cut();
  }
}
