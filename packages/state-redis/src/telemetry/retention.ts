import type { Logger, Millis } from '@tandem/core';
import { type Commands, loadScript } from '../client';
import type { Keys } from '../keys';
import type { RedisBounds } from '../options';
import { DeviceSweep } from './device-sweep';
import { noteRetention, type RetentionState, readRetention } from './retention-state';
import type { FromWorker } from './worker-messages';

const LEASE = loadScript('telemetry-lease');
/** About how many devices a step looks at: Redis may give some more. */
const DEVICES = 100;
/** Devices at the same time. */
const TOGETHER = 25;
/** Between two looks whether a pass is to begin, or another process has died over one. */
const LOOK: Millis = 1_000;
/** Rest between two steps: Redis is left to those who accept messages. */
const MIN_REST: Millis = 20;
const MAX_REST: Millis = 600;

export interface RetentionOptions {
  readonly bounds: Pick<RedisBounds, 'historyMax' | 'historyMaxAge' | 'retentionInterval'>;
  readonly processId: string;
  /** How long the retention stays ours when nothing is heard of us. */
  readonly lease: Millis;
  readonly say: (message: FromWorker) => void;
  readonly logger: Logger;
  readonly quiet: Logger;
}

/** The passes of the retention: one process at a time goes from device to device. */
export class Retention {
  readonly #sweep: DeviceSweep;
  #rise: (() => void) | undefined;
  #hurried = false;
  #stopping = false;
  #failing = false;

  constructor(
    private readonly commands: Commands,
    private readonly keys: Keys,
    private readonly options: RetentionOptions,
  ) {
    this.#sweep = new DeviceSweep(commands, keys, options.bounds, options.quiet);
  }

  /** Resolves after `stop`. */
  async run(): Promise<void> {
    while (!this.#stopping) await this.#rest(await this.#attempt());
    // Of a Redis that does not answer nobody waits for the end: the lease lapses.
    if (!this.#failing) await this.#lease('free').catch(() => {});
  }

  /** Somebody waits for a pass. */
  hurry(): void {
    this.#hurried = true;
    this.#rise?.();
  }

  stop(): void {
    this.#stopping = true;
    this.#rise?.();
  }

  /** @returns how long to rest */
  async #attempt(): Promise<Millis> {
    const begun = performance.now();
    try {
      const worked = await this.#turn();
      this.#failing = false;
      return worked ? Math.min(Math.max(MIN_REST, (performance.now() - begun) * 4), MAX_REST) : LOOK;
    } catch (error) {
      // A fault is told when it begins: Redis that is away is told of by everybody.
      if (!this.#failing) this.options.logger.error('what is too old could not be removed', { error: String(error) });
      this.#failing = true;
      return LOOK;
    }
  }

  /** @returns whether there was something to do for this process */
  async #turn(): Promise<boolean> {
    const state = await readRetention(this.commands, this.keys);
    if (!this.#isDue(state)) {
      this.options.say({ kind: 'swept-step', progress: 1, ended: state.ended, removed: 0 });
      return false;
    }
    if ((await this.#lease('take')) !== 1) return false;
    // Another process may have ended the pass, or begun one, before the lease was ours.
    const now = await readRetention(this.commands, this.keys);
    if (this.#isDue(now)) await this.#step(now.cursor === undefined ? await this.#begin(now) : now);
    return true;
  }

  #isDue({ cursor, wanted, served, ended }: RetentionState): boolean {
    return cursor !== undefined || wanted > served || Date.now() - ended >= this.options.bounds.retentionInterval;
  }

  async #begin(state: RetentionState): Promise<RetentionState> {
    const begun = { cursor: '0', looked: 0, begunAfter: state.wanted };
    await noteRetention(this.commands, this.keys, begun);
    return { ...state, ...begun };
  }

  async #step({ cursor = '0', looked, begunAfter }: RetentionState): Promise<void> {
    const { client } = this.commands;
    const epochs = this.keys.registry('epochs');
    const [[next, fields], devices] = await this.commands.during(() =>
      Promise.all([client.hscan(epochs, cursor, 'COUNT', DEVICES), client.hlen(epochs)]),
    );
    const ids = fields.filter((_, i) => i % 2 === 0);
    const now = Date.now();
    let done = looked;
    for (let from = 0; from < ids.length; from += TOGETHER) {
      // What is not noted is looked at again, by whoever goes on.
      if (this.#stopping || (await this.#lease('take')) !== 1) return;
      const some = ids.slice(from, from + TOGETHER);
      const counts = await Promise.all(some.map((id) => this.#sweep.run(id, now)));
      done += some.length;
      // Before it is noted: whoever sees the pass through has heard what it removed.
      const removed = counts.reduce((a, b) => a + b, 0);
      this.options.say({ kind: 'swept-step', progress: Math.min(1, done / Math.max(1, devices)), ended: 0, removed });
    }
    if (next !== '0') return noteRetention(this.commands, this.keys, { looked: done, cursor: next });
    await noteRetention(this.commands, this.keys, { looked: done, served: begunAfter, ended: now });
    this.options.say({ kind: 'swept-step', progress: 1, ended: now, removed: 0 });
  }

  #lease(what: 'take' | 'free'): Promise<number> {
    const { processId, lease } = this.options;
    return this.commands.run<number>(LEASE, [this.keys.registry('retention-lease')], [processId, lease, what]);
  }

  async #rest(duration: Millis): Promise<void> {
    if (this.#stopping || this.#hurried) {
      this.#hurried = false;
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#rise?.(), duration);
      this.#rise = () => {
        clearTimeout(timer);
        this.#rise = undefined;
        resolve();
      };
    });
  }
}
