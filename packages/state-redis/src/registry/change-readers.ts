import { type Clock, type Logger, type MetricsRegistry, type Millis, quietLogger, TandemError } from '@tandem/core';
import { allowingOutOfMemory, type Commands, loadScript } from '../client';
import type { Keys } from '../keys';
import type { WakeSource } from './wake-source';

const HEARD = allowingOutOfMemory(loadScript('registry-heard'));
/** A process that has not said for this long how far it has heard is gone; it does so every 3 s. */
export const LAPSE: Millis = 10_000;
/** How long the end of a process waits until nobody waits for it any more. */
const LEAVE_WAIT: Millis = 300;
/** Processes of which is known how far they have heard. */
const MAX_KNOWN = 1_000;
/** How often it is said that processes do not hear in time. */
const SAY_AGAIN: Millis = 60_000;

/** Processes that hear changes, and how far they have: a hash. */
export const readersKey = (keys: Keys): string => keys.registry('readers');
/** The channel on which a process is told how far others have heard; messages are `<processId> <number>`. */
const heardChannel = (keys: Keys, processId: string): string => keys.registry(`heard:${processId}`);

export interface ChangeReadersOptions {
  readonly processId: string;
  readonly publish: 'PUBLISH' | 'SPUBLISH';
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
  /** How long a write waits for others to hear of it. */
  readonly wait: Millis;
}

interface Wait {
  readonly number: number;
  /** Those that have not heard yet. */
  readonly missing: Set<string>;
  readonly end: () => void;
}

/**
 * The processes that hear changes, and how far they have: a write waits for the others here. Each says so in a hash of the
 * registry, now and again, and to whose changes it has heard at once. One that was waited for in vain is not waited for
 * again before it has heard that change: it delays one write, and not each of a thousand (adr/0038).
 */
export class ChangeReaders {
  /** By the ids of the processes. */
  readonly #heard = new Map<string, number>();
  /** Numbers of changes that were not heard in time. */
  readonly #late = new Map<string, number>();
  readonly #waiting = new Set<Wait>();
  readonly #logger: Logger;
  readonly #unheard: { add(): void };
  #stopHearing = () => {};
  #left = false;

  constructor(
    private readonly commands: Commands,
    private readonly keys: Keys,
    private readonly wakes: WakeSource,
    private readonly options: ChangeReadersOptions,
  ) {
    this.#logger = quietLogger(options.logger, options.clock, SAY_AGAIN);
    this.#unheard = options.metrics.counter('tandem_session_changes_unheard_total');
  }

  /**
   * From now on the changes of others wait for this process.
   * @throws TandemError STORE_UNAVAILABLE
   */
  async join(): Promise<void> {
    this.#stopHearing = this.wakes.onWake(heardChannel(this.keys, this.options.processId), (message) => {
      const [reader = '', number = ''] = message.split(' ');
      this.#note(reader, Number(number));
    });
    await this.#say(0, []);
  }

  /** Nobody waits for this process any more, nor it for others. Never rejects. */
  async leave(): Promise<void> {
    this.#left = true;
    this.#stopHearing();
    for (const wait of this.#waiting) wait.end();
    const { client } = this.commands;
    const { clock, processId } = this.options;
    await new Promise<void>((resolve) => {
      // What cannot be taken back lapses: a Redis that hangs must not hold up the end of the process.
      const timer = clock.setTimer(LEAVE_WAIT, resolve);
      this.commands
        .during(() => client.hdel(readersKey(this.keys), processId))
        .catch(() => {})
        .finally(() => {
          timer.cancel();
          resolve();
        });
    });
  }

  /**
   * Says how far this process has heard. Never rejects: it is said again.
   * @param writers of what was heard, who may be waiting
   */
  async say(number: number, writers: readonly string[] = []): Promise<void> {
    if (this.#left) return;
    try {
      await this.#say(number, writers);
    } catch (error) {
      const { logger } = this.options;
      if (logger.debugEnabled) {
        logger.debug('cannot say which changes were heard', { error: TandemError.from(error).message });
      }
    }
  }

  /** The numbers are those of another stream by now. */
  forget(): void {
    this.#heard.clear();
    this.#late.clear();
  }

  /** As `SessionChanges.heard`. */
  async allHave(number: number, others: readonly (string | number)[]): Promise<void> {
    const missing = new Set<string>();
    const alive = new Set<string>();
    for (let i = 0; i + 1 < others.length; i += 2) {
      const reader = String(others[i]);
      alive.add(reader);
      this.#note(reader, Number(others[i + 1]));
      if (!this.#late.has(reader) && (this.#heard.get(reader) ?? 0) < number) missing.add(reader);
    }
    for (const reader of this.#late.keys()) if (!alive.has(reader)) this.#late.delete(reader);
    if (missing.size > 0 && !this.#left) await this.#wait(number, missing);
  }

  #wait(number: number, missing: Set<string>): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        this.#waiting.delete(wait);
        late.cancel();
        resolve();
      };
      const wait: Wait = { number, missing, end };
      const late = this.options.clock.setTimer(this.options.wait, () => {
        end();
        this.#unheard.add();
        for (const reader of missing) this.#late.set(reader, number);
        this.#logger.warn('a change was answered before every process had heard of it', { processes: missing.size });
      });
      this.#waiting.add(wait);
    });
  }

  #note(reader: string, number: number): void {
    if (number <= (this.#heard.get(reader) ?? -1)) return;
    this.#heard.delete(reader);
    this.#heard.set(reader, number);
    if (this.#heard.size > MAX_KNOWN) this.#heard.delete(this.#heard.keys().next().value as string);
    if (number >= (this.#late.get(reader) ?? number + 1)) this.#late.delete(reader);
    for (const wait of this.#waiting) {
      if (wait.number <= number && wait.missing.delete(reader) && wait.missing.size === 0) wait.end();
    }
  }

  #say(number: number, writers: readonly string[]): Promise<unknown> {
    const { processId, publish } = this.options;
    const channels = writers.map((writer) => heardChannel(this.keys, writer));
    return this.commands.run(HEARD, [readersKey(this.keys), ...channels], [processId, number, publish]);
  }
}
