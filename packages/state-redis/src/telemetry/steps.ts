import type { Logger, Millis } from '@tandem/core';
import type { Commands } from '../client';
import type { Keys } from '../keys';
import type { Leases } from './leases';
import { LeftOutEntries } from './left-out';
import { PartitionReader, type Portion } from './partition-reader';
import { agreePartitions } from './partitions';
import type { LeftOut, ViewWriter } from './view-writer';
import type { FromWorker, WorkerData } from './worker-messages';

/** How often leases are kept and streams trimmed at least. */
const TEND_INTERVAL: Millis = 1_000;
/** How long a partition rests that could not be worked on. */
const FAILURE_PAUSE: Millis = 1_000;
/** Bytes from which on a portion is alone in the hands of the thread. */
const LARGE = 8_000_000;
/** Partitions at the same time: while Redis works on one, the thread works on another. */
const LANES = 3;

export interface StepResult {
  /** Entries. */
  readonly moved: number;
  /** Whether there is probably more. */
  readonly more: boolean;
}

interface Held {
  readonly partition: number;
  readonly reader: PartitionReader;
  readonly leftOut: LeftOutEntries;
  /** Not worked on before. */
  notBefore: Millis;
}

/** The materialiser's work: takes partitions, and moves their entries into the view step by step. */
export class Steps {
  readonly #held = new Map<number, Held>();
  readonly #failing = new Set<number | 'leases'>();
  /** Whether it has been said since the last fault that all is well. */
  #saidWorked = false;
  #saidFailed: Millis = Number.NEGATIVE_INFINITY;
  /** Resolves when no large portion is worked on. */
  #largeDone: Promise<unknown> = Promise.resolve();
  #tended = Number.NEGATIVE_INFINITY;
  #partitions: number;

  constructor(
    private readonly commands: Commands,
    private readonly keys: Keys,
    private readonly leases: Leases,
    private readonly view: ViewWriter,
    private readonly data: Omit<WorkerData, 'connection' | 'idle'>,
    private readonly say: (message: FromWorker) => void,
    private readonly logger: Logger,
    /** For what is told with every step. */
    private readonly quiet: Logger,
  ) {
    this.#partitions = data.partitions;
  }

  /** One step in every partition that is ours. What fails is told, and tried again by a later step. */
  async step(): Promise<StepResult> {
    const now = performance.now();
    if (now - this.#tended >= Math.min(TEND_INTERVAL, this.data.lease / 4)) await this.#tend(now);
    const ready = this.#ready(now);
    let moved = 0;
    let more = false;
    const lane = async () => {
      for (let next = ready.pop(); next; next = ready.pop()) {
        const portion = await this.#attempt(next, this.#move);
        moved += portion?.entries.length ?? 0;
        more ||= portion?.more ?? false;
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    return { moved, more };
  }

  /** Gives the partitions to the others; does not try where Redis does not answer anyway: leases lapse. */
  async leave(): Promise<void> {
    if (this.#failing.size === 0) await this.leases.release(this.#held.keys()).catch(() => {});
  }

  async #tend(now: Millis): Promise<void> {
    this.#tended = now;
    try {
      this.#partitions = await agreePartitions(this.commands, this.keys, this.#partitions);
      const ours = await this.leases.tend(this.#partitions, new Set(this.#held.keys()));
      for (const partition of this.#held.keys()) if (!ours.has(partition)) this.#drop(partition);
      for (const partition of ours) if (!this.#held.has(partition)) this.#held.set(partition, this.#take(partition));
    } catch (error) {
      return this.#failed('leases', error);
    }
    this.#worked('leases');
    await Promise.all(this.#ready(now).map((held) => this.#attempt(held, (each) => this.#trim(each, []))));
  }

  #ready(now: Millis): Held[] {
    return [...this.#held.values()].filter(({ notBefore }) => notBefore <= now);
  }

  #drop(partition: number): void {
    this.#held.delete(partition);
    this.#worked(partition);
  }

  #take(partition: number): Held {
    const { processId, bounds, entryMax, retryInterval: interval } = this.data;
    return {
      partition,
      leftOut: new LeftOutEntries(this.commands, this.keys, partition, this.view, {
        processId,
        interval,
        logger: this.quiet,
      }),
      reader: new PartitionReader(this.commands, this.keys, partition, processId, bounds.consumerGroupTtl, entryMax),
      notBefore: 0,
    };
  }

  /** What was moved; undefined when the partition is not ours any more. */
  readonly #move = async (held: Held): Promise<Portion | undefined> => {
    const portion = await held.reader.read();
    if (!portion) this.#drop(held.partition);
    if (!portion) return undefined;
    if (portion.entries.length > 0) {
      await this.#write(held, portion);
      await this.view.replicated();
      await this.#trim(held, portion.entries);
      for (const { deviceId, bytes } of portion.tooLarge) this.say({ kind: 'too-large', deviceId, bytes });
    }
    return (await held.leftOut.again()) ? { ...portion, more: true } : portion;
  };

  /** Of large ones, which are there several times over until Redis has them, one at a time. */
  async #write(held: Held, portion: Portion): Promise<void> {
    const { entries, life, tooLarge } = portion;
    const taken = tooLarge.length === 0 ? entries : entries.filter(([, fields]) => fields !== null);
    const write = () => this.view.write({ entries: taken, life }, (leftOut) => this.#keep(held, leftOut));
    if (portion.bytes < LARGE) return write();
    const written = this.#largeDone.then(write);
    this.#largeDone = written.catch(() => {});
    return written;
  }

  async #keep(held: Held, leftOut: LeftOut): Promise<void> {
    await held.leftOut.keep(leftOut);
    this.say({ kind: 'left-out', entries: leftOut.entries.length });
  }

  async #trim({ partition, reader }: Held, entries: Portion['entries']): Promise<void> {
    const { newestId, length, ended } = await reader.trim(entries);
    this.say({ kind: 'moved', partition, newestId, length });
    if (ended.length === 0) return;
    this.say({ kind: 'expired', groups: ended.length });
    for (const { group, unread } of ended) {
      this.logger.warn('a consumer group that held the telemetry log back and did not read was ended', {
        group,
        partition,
        unread,
      });
    }
  }

  async #attempt<T>(held: Held, work: (held: Held) => Promise<T>): Promise<T | undefined> {
    try {
      const done = await work(held);
      this.#worked(held.partition);
      return done;
    } catch (error) {
      held.notBefore = performance.now() + FAILURE_PAUSE;
      this.#failed(held.partition, error);
      return undefined;
    }
  }

  /** A fault is told when it begins and when it is over, not with every step. */
  #failed(what: number | 'leases', error: unknown): void {
    if (this.#failing.size === 0) this.logger.error('materialiser step failed', { what, error: String(error) });
    this.#failing.add(what);
    this.#saidWorked = false;
    const now = performance.now();
    // Once for all partitions that fail together.
    if (now - this.#saidFailed < FAILURE_PAUSE) return;
    this.#saidFailed = now;
    this.say({ kind: 'failed', error: String(error) });
  }

  #worked(what: number | 'leases'): void {
    const failed = this.#failing.delete(what);
    if (this.#failing.size > 0) return;
    if (failed) this.logger.info('the materialiser goes on', {});
    if (this.#saidWorked) return;
    this.#saidWorked = true;
    this.say({ kind: 'worked' });
  }
}
