import path from 'node:path';
import { Redis } from 'ioredis';
import { Child } from '../servers/child';
import { freeTcpPort } from '../servers/free-port';

/** A redis-server of the bench's own, in memory only: what is compared is the gateway's work, not the disk. */
export class RedisProcess {
  private constructor(
    private readonly child: Child,
    readonly port: number,
    /** For the bench's own questions. */
    readonly client: Redis,
  ) {}

  /** @param folder fresh folder for its output */
  static async start(folder: string): Promise<RedisProcess> {
    const port = await freeTcpPort();
    const child = new Child({
      command: 'redis-server',
      args: ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder],
      env: process.env,
      logFile: path.join(folder, 'redis.log'),
      core: undefined,
      ipc: false,
    });
    const client = new Redis({ host: '127.0.0.1', port, maxRetriesPerRequest: null });
    client.on('error', () => {});
    await client.ping();
    return new RedisProcess(child, port, client);
  }

  get pid(): number {
    return this.child.pid;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Bytes its data takes, without the buffers of connections. */
  async datasetBytes(): Promise<number> {
    return this.#info('memory', 'used_memory');
  }

  async #info(section: string, field: string): Promise<number> {
    const text = await this.client.info(section);
    const value = new RegExp(`^${field}:(\\d+)`, 'm').exec(text)?.[1];
    if (value === undefined) throw new Error(`Redis does not tell ${field}`);
    return Number(value);
  }

  async stop(): Promise<void> {
    this.client.disconnect();
    await this.child.stop();
  }
}
