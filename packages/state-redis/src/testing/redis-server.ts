import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RedisAddress } from '@tandem/core';
import { Redis } from 'ioredis';
import { type ReservedPort, reservePort } from './reserve-port';

export const HOST = '127.0.0.1';

export interface RedisServerOptions {
  /** `no`, the default: in memory only. Else an append-only file, with this as `appendfsync`. */
  readonly appendonly?: 'always' | 'everysec' | 'no';
  /** Its folder is on a disk, also where other tests have theirs in memory. */
  readonly onDisk?: boolean;
  /** What clients have to log in with. */
  readonly password?: string;
  /** Any further arguments of redis-server, such as `--maxmemory`, `1mb`. */
  readonly args?: readonly string[];
  /** Called when it is stopped for good. */
  readonly release?: () => void;
}

export interface RestartOptions {
  readonly empty?: boolean;
  readonly args?: readonly string[];
}

/** A redis-server of its own on a free port of the loopback interface, ready for commands. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const server = await RedisServer.reserve(options);
  await server.restart();
  return server;
}

/** One redis-server and its folder. It dies with the process that made it, also where that is killed. */
export class RedisServer {
  #child: ChildProcess | undefined;
  #exit: Promise<void> = Promise.resolve();

  private constructor(
    private readonly reserved: ReservedPort,
    readonly folder: string,
    private readonly options: RedisServerOptions,
  ) {}

  /** A port and a folder for a server that `restart` starts. */
  static async reserve(options: RedisServerOptions = {}): Promise<RedisServer> {
    const parent = (options.onDisk && process.env.TANDEM_TEST_DISK) || tmpdir();
    return new RedisServer(await reservePort(), mkdtempSync(join(parent, 'tandem-redis-')), options);
  }

  get port(): number {
    return this.reserved.port;
  }

  get url(): string {
    const { password } = this.options;
    return `redis://${password ? `:${encodeURIComponent(password)}@` : ''}${HOST}:${this.port}`;
  }

  get address(): RedisAddress {
    return {
      nodes: [{ host: HOST, port: this.port }],
      tls: false,
      username: undefined,
      password: this.options.password,
      database: 0,
    };
  }

  /** @throws Error when it is not running */
  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('This redis-server is not running');
    return pid;
  }

  get running(): boolean {
    return this.#child !== undefined;
  }

  /** Resolves when it is gone. Does nothing where it is gone already. */
  async kill9(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#exit;
  }

  /**
   * Starts it again on the same port, where it still runs after an orderly end; resolves when it takes commands.
   * @param empty without anything it had
   * @param args further arguments of redis-server, this time
   */
  async restart({ empty = false, args = [] }: RestartOptions = {}): Promise<void> {
    this.#child?.kill('SIGTERM');
    this.#child?.kill('SIGCONT');
    await this.#exit;
    if (empty) {
      rmSync(this.folder, { recursive: true, force: true });
      mkdirSync(this.folder, { mode: 0o700 });
    }
    await this.#start(args);
  }

  /** Holds its breath: connections stay open and get no answer, until `resume`. */
  pause(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    await this.kill9();
    rmSync(this.folder, { recursive: true, force: true });
    this.reserved.release();
    this.options.release?.();
  }

  /**
   * What `redis-cli` prints for a command, over a connection of its own: starting a process takes a hundred times
   * as long as most commands do, and tests ask often.
   * @throws Error with the answer where that is an error
   */
  async cli(...command: readonly string[]): Promise<string> {
    const [name = '', ...args] = command;
    const connection = new Redis({
      host: HOST,
      port: this.port,
      password: this.options.password,
      lazyConnect: true,
      enableReadyCheck: false,
      disableClientInfo: true,
      // Like redis-cli, which waits for a server that holds its breath.
      connectTimeout: 0,
      retryStrategy: () => null,
    });
    connection.on('error', () => {});
    try {
      await connection.connect();
      return printed(await connection.call(name, ...args));
    } finally {
      if (connection.status !== 'end') {
        const ended = once(connection, 'end');
        connection.disconnect();
        await ended;
      }
    }
  }

  #start(more: readonly string[]): Promise<void> {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'redis-server', ...this.#arguments(), ...more], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    let output = '';
    return new Promise((resolve, reject) => {
      const read = (text: string) => {
        // Also when nobody waits any more: a full pipe would hold the server up.
        if (output.length < 100_000) output += text;
        if (output.includes('Ready to accept connections')) resolve();
      };
      child.stdout?.setEncoding('utf8').on('data', read);
      child.stderr?.setEncoding('utf8').on('data', read);
      child.once('error', reject);
      this.#exit = new Promise((gone) => {
        child.once('close', () => {
          if (this.#child === child) this.#child = undefined;
          reject(new Error(`redis-server ended: ${output}`));
          gone();
        });
      });
    });
  }

  #arguments(): string[] {
    const { appendonly = 'no', password, args = [] } = this.options;
    const durability =
      appendonly === 'no' ? ['--appendonly', 'no'] : ['--appendonly', 'yes', '--appendfsync', appendonly];
    return [
      ...['--port', String(this.port), '--bind', HOST, '--dir', this.folder, '--save', ''],
      ...['--daemonize', 'no', '--enable-debug-command', 'yes', '--repl-diskless-sync-delay', '0'],
      ...durability,
      ...(password ? ['--requirepass', password, '--masterauth', password] : []),
      ...args,
    ];
  }
}

function printed(answer: unknown): string {
  if (Array.isArray(answer)) return answer.map(printed).join('\n');
  return answer === null ? '' : String(answer).replace(/\n$/, '');
}
