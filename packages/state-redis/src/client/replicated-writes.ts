import { type MetricsRegistry, type Millis, TandemError } from '@tandem/core';
import slotOf from 'cluster-key-slot';
import { Cluster, type Redis } from 'ioredis';
import { isMisrouted, rerouted } from './misrouted';
import type { Script } from './scripts';

type Argument = string | Buffer | number;

/** Writes that are accepted and not answered, in this process; beyond it callers get STORE_UNAVAILABLE at once. */
const MAX_WRITES = 10_000;
const MAX_BYTES = 67_108_864;
/** Bounds of one pipeline. */
const MAX_BATCH = 1_000;
const MAX_BATCH_BYTES = 4_000_000;
/** Bytes of a write beside its arguments. */
const OVERHEAD = 200;
const RETRY_AFTER: Millis = 1_000;

export interface ReplicatedWritesOptions {
  /** 1 or more. */
  readonly replicas: number;
  /** A write that was not sent within this never is. */
  readonly timeout: Millis;
  readonly metrics?: MetricsRegistry;
}

interface Write {
  readonly script: Script;
  readonly keys: readonly string[];
  readonly args: readonly Argument[];
  readonly bytes: number;
  /** On the clock of `performance`. */
  readonly due: Millis;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Whether the script itself goes along: the node does not know it. */
  source: boolean;
}

/** What goes to one node. */
interface Lane {
  waiting: Write[];
  busy: boolean;
}

/**
 * Writes that replicas have to have. A WAIT holds up whatever comes behind it on its connection, so those of a node are
 * gathered into one pipeline with one WAIT behind it, and the next is sent when that has been answered. So a write that
 * nobody waits for any more is still here and not on its way: it is never sent, and cannot overwrite what came later.
 */
export class ReplicatedWrites {
  readonly #lanes = new Map<string, Lane>();
  #scheduled = false;
  #writes = 0;
  #bytes = 0;

  /** @param client of its own: a WAIT holds up what comes behind it */
  constructor(
    private readonly client: Redis | Cluster,
    private readonly options: ReplicatedWritesOptions,
  ) {
    options.metrics?.gauge('tandem_redis_writes_waiting', () => this.#writes);
  }

  /**
   * @param keys of one slot
   * @returns the reply of the script
   * @throws TandemError STORE_UNAVAILABLE: too many wait, or it was written but too few replicas have it; Error as ioredis'
   */
  send(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    const bytes = args.reduce((sum: number, arg) => sum + lengthOf(arg), OVERHEAD);
    // One write alone is always taken, however large it is.
    if (this.#writes >= MAX_WRITES || (this.#writes > 0 && this.#bytes + bytes > MAX_BYTES)) {
      return Promise.reject(
        new TandemError('STORE_UNAVAILABLE', {
          message: 'As many writes wait for the store as may',
          retryAfter: RETRY_AFTER,
        }),
      );
    }
    this.#writes++;
    this.#bytes += bytes;
    const due = performance.now() + this.options.timeout;
    return new Promise((resolve, reject) =>
      this.#enqueue({ script, keys, args, bytes, due, resolve, reject, source: false }),
    ).finally(() => {
      this.#writes--;
      this.#bytes -= bytes;
    });
  }

  #enqueue(write: Write): void {
    const node = this.#nodeOf(write);
    let lane = this.#lanes.get(node);
    if (!lane) {
      lane = { waiting: [], busy: false };
      this.#lanes.set(node, lane);
    }
    dropLate(lane);
    lane.waiting.push(write);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      for (const [name, each] of this.#lanes) this.#go(name, each);
    });
  }

  #nodeOf({ keys: [key = ''] }: Write): string {
    return this.client instanceof Cluster ? (this.client.slots[slotOf(key)]?.join() ?? '') : '';
  }

  #go(name: string, lane: Lane): void {
    if (lane.busy) return;
    const batch = this.#take(name, lane);
    if (batch.length === 0) {
      if (lane.waiting.length === 0 && this.#lanes.get(name) === lane) this.#lanes.delete(name);
      return;
    }
    lane.busy = true;
    this.#exchange(batch)
      .catch((error: Error) => {
        for (const write of batch) this.#failed(error, write);
      })
      .finally(() => {
        lane.busy = false;
        this.#go(name, lane);
      });
  }

  /** The next batch; what has another node by now goes there. */
  #take(name: string, lane: Lane): Write[] {
    dropLate(lane);
    const batch: Write[] = [];
    let [taken, bytes] = [0, 0];
    for (const write of lane.waiting) {
      if (batch.length >= MAX_BATCH || (batch.length > 0 && bytes + write.bytes > MAX_BATCH_BYTES)) break;
      taken++;
      if (this.#nodeOf(write) !== name) this.#enqueue(write);
      else {
        batch.push(write);
        bytes += write.bytes;
      }
    }
    lane.waiting.splice(0, taken);
    return batch;
  }

  async #exchange(batch: readonly Write[]): Promise<void> {
    const { replicas, timeout } = this.options;
    const pipeline = this.client.pipeline();
    // As an array: a hundred thousand arguments of a call would not fit on the stack.
    for (const { script, keys, args, source } of batch) {
      pipeline.call(source ? 'eval' : 'evalsha', [source ? script.source : script.sha, keys.length, ...keys, ...args]);
    }
    // Well below the operation's own time: an answer of too few is better than none.
    pipeline.wait(replicas, Math.max(1, Math.floor(timeout / 4)));
    // ioredis may keep a pipeline for ever that it could not send.
    const results = (await within(pipeline.exec(), timeout * 2)) ?? [];
    const missing = this.#missing(results[batch.length]);
    for (const [n, write] of batch.entries()) {
      const [error, reply] = results[n] ?? [new Error('Connection is closed')];
      if (error) this.#failed(error, write);
      else if (missing) write.reject(missing);
      else write.resolve(reply);
    }
  }

  #missing([error, count]: [Error | null, unknown] = [new Error('Connection is closed'), 0]): Error | undefined {
    const { replicas } = this.options;
    if (error) return error;
    if (Number(count) >= replicas) return undefined;
    return new TandemError('STORE_UNAVAILABLE', {
      message: `Only ${count} of ${replicas} replicas have the write`,
      retryAfter: RETRY_AFTER,
    });
  }

  #failed(error: Error, write: Write): void {
    if (error.message.startsWith('NOSCRIPT') && !write.source) {
      write.source = true;
      this.#enqueue(write);
    } else if (isMisrouted(error) && performance.now() < write.due) {
      // When its time has passed by then, it is rejected instead of sent.
      void rerouted(this.client).then(() => this.#enqueue(write));
    } else {
      write.reject(error);
    }
  }
}

/** Those before it came earlier, but for the few that were sent to a wrong node. */
function dropLate(lane: Lane): void {
  const now = performance.now();
  const [first] = lane.waiting;
  if (!first || first.due > now) return;
  const late = lane.waiting.filter(({ due }) => due <= now);
  lane.waiting = lane.waiting.filter(({ due }) => due > now);
  for (const { reject } of late) reject(new Error('Command timed out'));
}

function within<T>(done: Promise<T>, timeout: Millis): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('Command timed out')), timeout);
    done.then(resolve, reject).finally(() => clearTimeout(late));
  });
}

const lengthOf = (arg: Argument): number =>
  typeof arg === 'string' ? Buffer.byteLength(arg) : Buffer.isBuffer(arg) ? arg.length : 8;
