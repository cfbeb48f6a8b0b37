import {
  type Clock,
  type Logger,
  type MetricsRegistry,
  type Millis,
  quietLogger,
  systemClock,
  type TandemError,
} from '@tandem/core';
import type { Cluster, Redis } from 'ioredis';
import { connectionFault } from './connections';
import { type About, closedError, storeFailure } from './failures';
import { type Frame, FramedCommand } from './framed-command';
import { isMisrouted, rerouted } from './misrouted';
import { Outage, SAY_AGAIN } from './outage';
import { ReplicatedWrites } from './replicated-writes';
import type { Script } from './scripts';

export type Argument = string | Buffer | number;

export interface CommandOptions {
  /** Replicas that must have a write before it counts: `TANDEM_REDIS_WAIT_REPLICAS`. */
  readonly waitReplicas: number;
  /** How long they may take. */
  readonly timeout: Millis;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly metrics?: MetricsRegistry;
}

/**
 * The one way to Redis for reads and writes: scripts and commands with failures as rows of the error table. Commands of
 * one turn of the event loop go out together (ioredis' auto-pipelining, by node in a Cluster). A connection that is lost
 * sends what was not answered once more: a script whose answer got lost runs twice and has to bear it.
 */
export class Commands {
  readonly #replicated: ReplicatedWrites | undefined;
  readonly #outage: Outage;
  /** What can go wrong with every command at once is said now and then. */
  readonly #logger: Logger;
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
  ) {
    const { waitReplicas: replicas, timeout, metrics, logger, clock = systemClock } = options;
    if (replicas > 0) this.#replicated = new ReplicatedWrites(waiting, { replicas, timeout, metrics });
    this.#outage = new Outage(logger, clock);
    this.#logger = quietLogger(logger, clock, SAY_AGAIN);
  }

  /** Why commands fail at present, without a secret; undefined while they work. */
  get lastFailure(): string | undefined {
    return this.#outage.reason;
  }

  /**
   * Runs a script. All keys are of one slot.
   * @param frame memory for arguments that are large, until there is an answer, or for good where there is none
   */
  run<T>(script: Script, keys: readonly string[], args: readonly Argument[], frame?: Frame): Promise<T> {
    const work = () =>
      frame ? evaluateFramed<T>(this.client, script, keys, args, frame) : evaluate<T>(this.client, script, keys, args);
    return this.during(work, { script: script.name, keys });
  }

  /**
   * Runs a script that writes; resolves when as many replicas have it as are asked for.
   * @param frame as for `run`; not used where replicas are waited for
   * @throws TandemError STORE_UNAVAILABLE also when it was written but too few replicas have it
   */
  write<T>(script: Script, keys: readonly string[], args: readonly Argument[], frame?: Frame): Promise<T> {
    const replicated = this.#replicated;
    if (!replicated) return this.run(script, keys, args, frame);
    return this.during(() => replicated.send(script, keys, args) as Promise<T>, { script: script.name, keys });
  }

  /**
   * Any use of the client: `close` waits for it, and after `close` it does not begin. Whoever asked is told at the latest
   * after the time-out; ioredis' own one begins only when a command is sent, which those before it may hold up. Where a
   * command went astray in a Cluster, the work is done again.
   */
  async during<T>(work: () => Promise<T>, about?: About): Promise<T> {
    if (this.#closed) throw closedError();
    this.#underWay++;
    try {
      const result = await this.#inTime(work);
      this.#outage.worked();
      return result;
    } catch (error) {
      throw this.#failure(error, about);
    } finally {
      this.#underWay--;
      if (this.#underWay === 0) this.#drained?.();
    }
  }

  /** Accepts nothing more; resolves when whoever asked has been told: ioredis may keep a command for ever. */
  close(): Promise<void> {
    this.#closed = true;
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  #inTime<T>(work: () => Promise<T>): Promise<T> {
    let over = false;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        over = true;
        reject(new Error('Command timed out'));
      }, this.options.timeout);
      this.#routed(work, () => over)
        .then(resolve, reject)
        .finally(() => clearTimeout(late));
    });
  }

  async #routed<T>(work: () => Promise<T>, over: () => boolean): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!isMisrouted(error) || over()) throw error;
        await rerouted(this.client);
        if (over()) throw error;
      }
    }
  }

  #failure(error: unknown, about: About | undefined): TandemError {
    const fault = connectionFault(this.client) ?? connectionFault(this.waiting);
    const failure = storeFailure(error, this.#logger, about, fault);
    if (failure.code === 'STORE_UNAVAILABLE') this.#outage.failed(reasonOf(failure));
    return failure;
  }
}

const reasonOf = ({ cause, message }: TandemError): string => (cause instanceof Error ? cause.message : message);

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

/** Alone, and from the memory given. */
async function evaluateFramed<T>(
  client: Redis | Cluster,
  script: Script,
  keys: readonly string[],
  args: readonly Argument[],
  frame: Frame,
): Promise<T> {
  const rest = [String(keys.length), ...keys, ...args.map((arg) => (typeof arg === 'number' ? String(arg) : arg))];
  try {
    return (await client.sendCommand(new FramedCommand('evalsha', [script.sha, ...rest], frame))) as T;
  } catch (error) {
    if (!isUnknownScript(error)) throw error;
    return (await client.sendCommand(new FramedCommand('eval', [script.source, ...rest], frame))) as T;
  }
}

const isUnknownScript = (error: unknown): boolean => error instanceof Error && error.message.startsWith('NOSCRIPT');
