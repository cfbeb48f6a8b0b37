import { type Logger, type Millis, TandemError } from '@tandem/core';
import type { Cluster, Redis } from 'ioredis';
import { closedError, storeFailure } from './failures';
import type { Script } from './scripts';

export type Argument = string | Buffer | number;

export interface CommandOptions {
  /** Replicas that must have a write before it counts: `TANDEM_REDIS_WAIT_REPLICAS`. */
  readonly waitReplicas: number;
  /** How long they may take. */
  readonly timeout: Millis;
  readonly logger: Logger;
}

/**
 * The one way to Redis for reads and writes: scripts and commands with failures as rows of the error table. Commands of
 * one turn of the event loop go out together (ioredis' auto-pipelining, by node in a Cluster). A connection that is lost
 * sends what was not answered once more: a script whose answer got lost runs twice and has to bear it.
 */
export class Commands {
  #underWay = 0;
  #closed = false;
  #drained: (() => void) | undefined;

  /**
   * @param client with enableAutoPipelining
   * @param waiting a client of its own for writes that wait for replicas: WAIT holds up whatever comes behind it
   */
  constructor(
    readonly client: Redis | Cluster,
    private readonly waiting: Redis | Cluster,
    private readonly options: CommandOptions,
  ) {}

  /** Runs a script. All keys are of one slot. */
  run<T>(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<T> {
    return this.during(() => evaluate<T>(this.client, script, keys, args));
  }

  /**
   * Runs a script that writes; resolves when as many replicas have it as are asked for.
   * @throws TandemError STORE_UNAVAILABLE also when it was written but too few replicas have it
   */
  write<T>(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<T> {
    const { waitReplicas } = this.options;
    if (waitReplicas === 0) return this.run(script, keys, args);
    return this.during(() => this.#replicated<T>(script, keys, args, waitReplicas));
  }

  /**
   * Any use of the client: `close` waits for it, and after `close` it does not begin. Whoever asked is told at the latest
   * after the time-out; ioredis' own one begins only when a command is sent, which those before it may hold up.
   */
  async during<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw closedError();
    this.#underWay++;
    const done = work().finally(() => this.#ended());
    try {
      return await this.#inTime(done);
    } catch (error) {
      throw storeFailure(error, this.options.logger);
    }
  }

  /** Accepts nothing more; resolves when everything accepted has been answered or has failed. */
  close(): Promise<void> {
    this.#closed = true;
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  #ended(): void {
    this.#underWay--;
    if (this.#underWay === 0) this.#drained?.();
  }

  #inTime<T>(done: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('Command timed out')), this.options.timeout);
      done.then(resolve, reject).finally(() => clearTimeout(late));
    });
  }

  async #replicated<T>(
    script: Script,
    keys: readonly string[],
    args: readonly Argument[],
    replicas: number,
  ): Promise<T> {
    const run = async (command: 'evalsha' | 'eval', text: string): Promise<T> => {
      const pipeline = this.waiting.pipeline();
      pipeline.call(command, [text, keys.length, ...keys, ...args]);
      pipeline.wait(replicas, Math.ceil(this.options.timeout / 2));
      const [written, waited] = (await pipeline.exec()) ?? [];
      if (!written || written[0]) throw written?.[0] ?? new Error('Connection is closed');
      if (!waited || waited[0]) throw waited?.[0] ?? new Error('Connection is closed');
      if (Number(waited[1]) < replicas) {
        throw new TandemError('STORE_UNAVAILABLE', {
          message: `Only ${waited[1]} of ${replicas} replicas have the write`,
          retryAfter: 1_000,
        });
      }
      return written[1] as T;
    };
    try {
      return await run('evalsha', script.sha);
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
      return run('eval', script.source);
    }
  }
}

/** By its digest; with its source where the server does not have it yet, or has lost it. */
async function evaluate<T>(
  client: Redis | Cluster,
  script: Script,
  keys: readonly string[],
  args: readonly Argument[],
): Promise<T> {
  // As an array: a hundred thousand arguments of a call would not fit on the stack.
  try {
    return (await client.call('evalsha', [script.sha, keys.length, ...keys, ...args])) as T;
  } catch (error) {
    if (!isUnknownScript(error)) throw error;
    return (await client.call('eval', [script.source, keys.length, ...keys, ...args])) as T;
  }
}

const isUnknownScript = (error: unknown): boolean => error instanceof Error && error.message.startsWith('NOSCRIPT');
