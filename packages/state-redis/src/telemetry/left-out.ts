import type { Logger, Millis } from '@tandem/core';
import { type Commands, loadScript } from '../client';
import type { Keys } from '../keys';
import { expiryOf, type StreamEntry } from './message-codec';
import type { LeftOut, ViewWriter } from './view-writer';

const KEEP = loadScript('telemetry-left-out-keep');
const READ = loadScript('telemetry-left-out-read');

/** About how many entries are kept for each partition: nothing but a fault outside of Tandem makes any. The oldest go. */
const MAX_LEFT_OUT = 100_000;
/** Bounds of what is tried again in one step. */
const MAX_ENTRIES = 500;
const MAX_BYTES = 4_000_000;
const NEWEST = '+';

export const leftOutKey = (keys: Keys, partition: number): string => keys.partition(partition, 'left-out');

/**
 * Accepted entries of one partition that the view could not take, because other programs have keys of its own: a stream of
 * them, with fields `d`, `m` and `x` as in the log and `k`, the foreign key. They are in it before they are acknowledged in the
 * log, and stay until they are in the view.
 */
export class LeftOutEntries {
  /** Where the next look begins. */
  #from = NEWEST;
  #notBefore: Millis = 0;

  constructor(
    private readonly commands: Commands,
    private readonly keys: Keys,
    private readonly partition: number,
    private readonly view: ViewWriter,
    private readonly options: { readonly processId: string; readonly interval: Millis; readonly logger: Logger },
  ) {}

  /**
   * Resolves when they are kept, on as many replicas as are asked for.
   * @throws TandemError STORE_UNAVAILABLE
   */
  async keep({ entries, key }: LeftOut): Promise<void> {
    const texts = entries.flatMap((entry) => {
      const [, fields] = entry;
      return [fields?.[1] ?? '', fields?.[3] ?? '', expiryOf(entry) ?? '', key];
    });
    const kept = await this.commands.write<number>(KEEP, [this.#key], [MAX_LEFT_OUT, ...texts]);
    if (kept < MAX_LEFT_OUT) return;
    this.options.logger.error('more telemetry is left out of the view than is kept: the oldest of it is lost', {
      key: this.#key,
    });
  }

  /**
   * Tries a part of them again when it is time. The newest come first: of two values of the same time the one that is in
   * the view stays, be it from the log or from here, and that has to be the later one.
   * @returns whether there is more to try now
   */
  async again(): Promise<boolean> {
    if (performance.now() < this.#notBefore) return false;
    const entries = await this.#read();
    if (entries.length > 0) await this.#apply(entries);
    const last = entries.at(-1);
    if (last) this.#from = `(${last[0]}`;
    else {
      this.#from = NEWEST;
      this.#notBefore = performance.now() + this.options.interval;
    }
    return last !== undefined;
  }

  get #key(): string {
    return leftOutKey(this.keys, this.partition);
  }

  async #read(): Promise<readonly StreamEntry[]> {
    const lease = this.keys.partition(this.partition, 'lease');
    const args = [this.options.processId, this.#from, MAX_ENTRIES, MAX_BYTES];
    const reply = await this.commands.run<StreamEntry[] | 'foreign' | null>(READ, [this.#key, lease], args);
    if (reply !== 'foreign') return reply ?? [];
    this.options.logger.error(`${this.#key} is a key of another program: nothing can be left out of the view`, {
      key: this.#key,
    });
    return [];
  }

  async #apply(entries: readonly StreamEntry[]): Promise<void> {
    const waiting = new Set<StreamEntry>();
    await this.view.again(entries, async (leftOut) => {
      for (const entry of leftOut.entries) waiting.add(entry);
    });
    const done = entries.filter((entry) => !waiting.has(entry)).map(([id]) => id);
    if (done.length === 0) return;
    await this.view.replicated();
    await this.commands.during(() => this.commands.client.xdel(this.#key, ...done));
  }
}
