import {
  type Clock,
  type Logger,
  type MetricsRegistry,
  type Millis,
  type Random,
  TandemError,
  type Timer,
  tellAll,
} from '@tandem/core';
import { type Commands, loadScript } from '../client';
import type { Keys } from '../keys';
import { type ChangeEntry, parseEntry, type RawEntry } from './change-entries';
import { ChangeReaders } from './change-readers';
import type { RegistryChange, ToldChange } from './commit';
import { makeOnce } from './once';
import type { WakeSource } from './wake-source';

const CHANGES = loadScript('registry-changes');
/** Changes that the stream keeps, about: who has more to catch up with is told that it missed some. */
export const CHANGES_KEPT = 10_000;
/** Entries of one read. */
const PIECE = 1_000;
/** The stream is read this often, told or not. */
const INTERVAL: Millis = 3_000;
/** Own changes kept of which nobody knows whether they were made. */
const MAX_UNANSWERED = 1_000;

export const changesKey = (keys: Keys): string => keys.registry('changes');
/** The channel on which the processes are told to read the stream; messages are `<processId> changes`. */
export const registryChannel = (keys: Keys): string => keys.registry('wake');

export interface SessionChangesOptions {
  readonly processId: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
  /** Makes an empty Redis usable again; what it throws makes it be tried again. */
  readonly restore?: () => Promise<void>;
  /** How often the stream is read, told or not. */
  readonly interval?: Millis;
  readonly publish: 'PUBLISH' | 'SPUBLISH';
  /** How long a write waits for other processes to hear of it; 0 = not at all. */
  readonly wait: Millis;
}

type Reply = readonly [id: string | null, server: string, newest: RawEntry | null, entries: readonly RawEntry[]];
type Place = Pick<ChangeEntry, 'number' | 'commit'>;
const BEFORE_ALL: Place = { number: 0, commit: '' };
/** Changes of sessions and of what they speak: a write of them is acknowledged when all processes have heard of it. */
const AWAITED: ReadonlySet<string> = new Set<RegistryChange['kind']>(['profile', 'device', 'credentials', 'deleted']);

/**
 * Changes that running sessions, and what keeps accounts in memory, have to hear of. Those of this process are told when their write is answered; those of
 * others come from a stream, in its order. What the stream has not got any more is told as `missed`, and so is another server
 * than at the last read: it may lack what was read from the one before. A Redis that was restarted empty is noticed as well.
 */
export class SessionChanges {
  readonly #listeners = new Set<(change: RegistryChange) => void>();
  readonly #resetListeners = new Set<() => void>();
  /** Own commits on their way. Each is told by its answer or by the stream, whichever comes first. */
  readonly #underWay = new Set<string>();
  /** Own commits whose answer never came: if they were made, or will be, the stream tells. */
  readonly #unanswered = new Set<string>();
  readonly #leave: (() => void)[] = [];
  readonly #missed: { add(): void };
  readonly #readers: ChangeReaders;
  /** Whose changes were heard since this was said last. */
  readonly #writers = new Set<string>();
  /** The last entry that was read. */
  #place = BEFORE_ALL;
  #storeId: string | undefined;
  /** The life of the server it was read from: a restart or a fail-over begins another one. */
  #server: string | undefined;
  /** The last read that was asked for. Never rejects. */
  #reading: Promise<void> = Promise.resolve();
  /** The same, until it begins: who asks meanwhile has a share in it. */
  #next: Promise<void> | undefined;
  #ownChanges = 0;
  #timer: Timer | undefined;
  #started = false;
  #closed = false;

  constructor(
    private readonly commands: Commands,
    private readonly keys: Keys,
    private readonly wakes: WakeSource,
    private readonly options: SessionChangesOptions,
  ) {
    this.#missed = options.metrics.counter('tandem_session_changes_missed_total');
    this.#readers = new ChangeReaders(commands, keys, wakes, options);
  }

  /** Resolves when no later change is overheard. */
  async start(): Promise<void> {
    this.#leave.push(
      this.wakes.onWake(registryChannel(this.keys), (message) => {
        if (!message.startsWith(`${this.options.processId} `)) void this.catchUp();
      }),
      this.wakes.onReconnect(() => void this.catchUp()),
    );
    this.#storeId = await this.#makeId();
    // Before the place is known: what is written in between waits for this process, which has nothing in memory yet.
    await this.#readers.join();
    this.#place = await this.#newest();
    this.#started = true;
    await this.catchUp();
    await this.#readers.say(this.#place.number);
    this.#schedule();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    for (const leave of this.#leave.splice(0)) leave();
    await this.#reading;
    await this.#readers.leave();
  }

  onChange(listener: (change: RegistryChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onReset(listener: () => void): () => void {
    this.#resetListeners.add(listener);
    return () => this.#resetListeners.delete(listener);
  }

  tell(change: RegistryChange): void {
    tellAll(this.#listeners, change, this.options.logger);
  }

  /** Whether a write of it has to wait until other processes have heard of it. */
  isAwaited({ kind }: ToldChange): boolean {
    return this.options.wait > 0 && AWAITED.has(kind);
  }

  /**
   * Resolves when the others have heard of a change of this process, or not in time. Never rejects.
   * @param number of the change
   * @param others id and number of the change heard last, of each
   */
  heard(number: number, ...others: readonly (string | number)[]): Promise<void> {
    return this.#readers.allHave(number, others);
  }

  /** A commit of this process that has something to tell sets out. */
  sent(commit: string): void {
    this.#underWay.add(commit);
  }

  /** It was made, as its answer says. */
  made(commit: string, change: ToldChange): void {
    if (this.#underWay.delete(commit)) this.tell(change);
    // Who writes much must not lose the place in what it has written itself.
    if (++this.#ownChanges % PIECE === 0) void this.catchUp();
  }

  /** It was not made. */
  refused(commit: string): void {
    this.#underWay.delete(commit);
  }

  /** Nobody knows. */
  unanswered(commit: string): void {
    if (!this.#underWay.delete(commit)) return;
    if (this.#unanswered.size >= MAX_UNANSWERED) {
      this.#unanswered.clear();
      this.#tellMissed();
    }
    this.#unanswered.add(commit);
    void this.catchUp();
  }

  /** Reads what others have told by now. Never rejects: what cannot be read now is read later. */
  async catchUp(): Promise<void> {
    if (!this.#started || this.#closed) return this.#reading;
    try {
      await this.upToDate();
    } catch (error) {
      // Reconnection and timer read again.
      const { logger } = this.options;
      if (!(error instanceof TandemError))
        logger.error('a change of another process was not heard', { error: String(error) });
      else if (logger.debugEnabled) logger.debug('changes cannot be read now', { error: error.message });
    }
  }

  /** Resolves when everything is told that was written before the call. @throws TandemError STORE_UNAVAILABLE */
  upToDate(): Promise<void> {
    if (!this.#next) {
      // One that is under way may have begun before the write.
      this.#next = this.#reading.then(() => {
        this.#next = undefined;
        return this.#readAll();
      });
      this.#reading = this.#next.catch(() => {});
    }
    return this.#next;
  }

  async #readAll(): Promise<void> {
    while ((await this.#read()) && !this.#closed);
    const writers = [...this.#writers];
    this.#writers.clear();
    if (writers.length > 0) void this.#readers.say(this.#place.number, writers);
  }

  /** @returns whether there is more */
  async #read(): Promise<boolean> {
    const [id, server, newest, raw] = await this.#look(this.#place.number, PIECE);
    if (id !== this.#storeId) {
      await this.#startOver();
      return false;
    }
    const entries = raw.map(parseEntry);
    if (server !== this.#server || !this.#follows(entries)) {
      this.#server = server;
      this.#place = newest ? parseEntry(newest) : BEFORE_ALL;
      this.#tellMissed();
      this.#readers.forget();
      void this.#readers.say(this.#place.number);
      return false;
    }
    for (const entry of entries) if (entry.number > this.#place.number) this.#hear(entry);
    return raw.length === PIECE;
  }

  /** Whether the stream goes on where it was left: it begins with the entry read last, or with the first of all. */
  #follows([first]: readonly ChangeEntry[]): boolean {
    if (this.#place.number === 0) return first === undefined || first.number === 1;
    return first?.number === this.#place.number && first.commit === this.#place.commit;
  }

  #hear(entry: ChangeEntry): void {
    this.#place = { number: entry.number, commit: entry.commit };
    if (!this.#isTold(entry)) this.tell(entry.change ?? { kind: 'missed' });
    if (entry.by !== this.options.processId && entry.change && AWAITED.has(entry.change.kind)) {
      this.#writers.add(entry.by);
    }
  }

  #isTold({ by, commit }: ChangeEntry): boolean {
    return by === this.options.processId && !this.#underWay.delete(commit) && !this.#unanswered.delete(commit);
  }

  /** The store is another one than before: as a rule a Redis that was restarted empty. */
  async #startOver(): Promise<void> {
    const id = await this.#makeId();
    await this.options.restore?.();
    this.#readers.forget();
    await this.#readers.say(0);
    this.#place = await this.#newest();
    this.#storeId = id;
    this.options.logger.error('Redis has lost what was stored; everything begins anew');
    this.#tellMissed();
    tellAll(this.#resetListeners, undefined, this.options.logger);
  }

  #tellMissed(): void {
    this.#missed.add();
    this.tell({ kind: 'missed' });
  }

  #makeId(): Promise<string> {
    return makeOnce(this.commands, this.keys, 'meta', 'id', this.options.random.uuid());
  }

  /** Notes the server as well: what is cached from now on is of this one. */
  async #newest(): Promise<Place> {
    const [, server, newest] = await this.#look(0, 1);
    this.#server = server;
    return newest ? parseEntry(newest) : BEFORE_ALL;
  }

  #look(from: number, limit: number): Promise<Reply> {
    return this.commands.run<Reply>(CHANGES, [changesKey(this.keys), this.keys.registry('meta')], [from, limit]);
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#timer = this.options.clock.setTimer(this.options.interval ?? INTERVAL, () => {
      void this.catchUp()
        .then(() => this.#readers.say(this.#place.number))
        .finally(() => this.#schedule());
    });
  }
}
