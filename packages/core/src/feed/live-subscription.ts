import type { Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { Clock, Millis, Timer } from '../platform/clock';
import type { DeviceFeed, FeedChange, FeedMessage, FeedWatch } from '../state/device-feed';
import { type FirstState, type LiveEntry, type LiveSource, printOf, timeOf } from './live-source';

/** Whoever follows a device. */
export interface LiveSink {
  /**
   * First the state, also when there is nothing; then, for each change, what of it concerns the subscription; never nothing.
   * Where changes were missed: what differs by now.
   */
  tell(entries: readonly LiveEntry[]): void;
  /** The device is gone: nothing follows. */
  gone(): void;
  /** The first state could not be read, or what was read could not be told: nothing follows. */
  failed(error: TandemError): void;
}

/** Changes, and characters in them, that wait while the state is read; beyond it the state is read once more instead. */
const MAX_WAITING = 1_000;
const MAX_WAITING_CHARACTERS = 1_048_576;
/** How long after a failure the state is read again: twice as long after each further one, up to a bound. */
const FIRST_PAUSE: Millis = 1_000;
const LONGEST_PAUSE: Millis = 60_000;
/** Stands for what is there and has to be told again: unlike any print. */
const UNTOLD = '';

/**
 * Follows a device: its state, and from there every change, without a hole and without a double. It listens first, reads
 * between two marks of the feed, and drops of what it heard meanwhile what the state has.
 */
export class LiveSubscription {
  readonly #watch: FeedWatch;
  /** What is known to whoever follows, by id. */
  readonly #known = new Map<string, string>();
  #waiting: FeedChange[] = [];
  #waitingCharacters = 0;
  #missed = false;
  #phase: 'reading' | 'live' | 'over' = 'reading';
  #retry: Timer | undefined;
  #pause = FIRST_PAUSE;

  constructor(
    feed: DeviceFeed,
    deviceId: Uuid,
    private readonly source: LiveSource,
    private readonly sink: LiveSink,
    private readonly clock: Clock,
  ) {
    this.#watch = feed.watch(deviceId, (message) => this.#hear(message));
    void this.#begin();
  }

  /** Nothing is told any more. */
  end(): void {
    this.#phase = 'over';
    this.#waiting = [];
    this.#known.clear();
    this.#retry?.cancel();
    this.#watch.leave();
  }

  #hear(message: FeedMessage): void {
    if (message.kind === 'gone') {
      this.end();
      this.sink.gone();
    } else if (message.kind === 'missed') {
      if (this.#phase === 'live') void this.#catchUp();
      else this.#missed = true;
    } else if (this.#phase === 'live') {
      this.#change(this.source.entries(message));
      if (this.#missed && this.#isLive()) void this.#catchUp();
    } else {
      this.#keep(message);
    }
  }

  #keep(change: FeedChange): void {
    const entries = this.source.entries(change);
    for (const { value } of entries) this.#waitingCharacters += value?.length ?? 0;
    if (entries.length > 0) this.#waiting.push(change);
    if (this.#waiting.length <= MAX_WAITING && this.#waitingCharacters <= MAX_WAITING_CHARACTERS) return;
    this.#waiting = [];
    this.#waitingCharacters = 0;
    this.#missed = true;
  }

  async #begin(): Promise<void> {
    try {
      const { first, marks } = await this.#read(() => this.source.first());
      if (this.#phase === 'over') return;
      this.#know(first.kind === 'state' ? first.entries : first.newest);
      this.sink.tell(first.entries);
      this.#goOn(first, marks);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#phase === 'over') return;
    this.end();
    this.sink.failed(TandemError.from(error));
  }

  /** Tells what differs from what was told. Tries until it can be read. */
  async #catchUp(): Promise<void> {
    this.#retry = undefined;
    this.#phase = 'reading';
    this.#missed = false;
    const read = await this.#read(() => this.source.again()).catch(() => undefined);
    if (this.#phase !== 'reading') return;
    if (!read) {
      this.#retry = this.clock.setTimer(this.#pause, () => void this.#catchUp());
      this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
      return;
    }
    this.#pause = FIRST_PAUSE;
    const { first: entries, marks } = read;
    try {
      const different = this.#different(entries);
      this.#know(entries);
      if (different.length > 0) this.sink.tell(newestFirst(different));
      this.#goOn({ kind: 'state', entries }, marks);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #read<T>(read: () => Promise<T>): Promise<{ readonly first: T; readonly marks: readonly [number, number] }> {
    const before = await this.#watch.mark();
    const first = await read();
    return { first, marks: [before, await this.#watch.mark()] };
  }

  /** Takes up what was heard while the state was read. */
  #goOn(first: FirstState, [before, after]: readonly [number, number]): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingCharacters = 0;
    if (this.#phase === 'over') return;
    this.#phase = 'live';
    const between = waiting.filter(({ at }) => at > before && at <= after).map((change) => this.source.entries(change));
    for (const entries of withoutRead(between, first)) this.#change(entries);
    for (const change of waiting) if (change.at > after) this.#change(this.source.entries(change));
    if (this.#missed && this.#isLive()) void this.#catchUp();
  }

  /** The sink may have ended it. */
  #isLive(): boolean {
    return this.#phase === 'live';
  }

  #change(entries: readonly LiveEntry[]): void {
    if (!this.#isLive()) return;
    const fresh = this.source.onlyNewer ? entries.filter((entry) => !this.#isOld(entry)) : entries;
    if (fresh.length === 0) return;
    for (const entry of fresh) {
      const known = this.#known.get(entry.id);
      if (entry.value === undefined) this.#known.delete(entry.id);
      else if (known === undefined || !this.source.onlyNewer || timeOf(known) <= entry.ts) {
        this.#known.set(entry.id, printOf(entry));
      }
    }
    const told = fresh.filter((entry) => entry.value !== undefined || !this.#uncovers(entry.id));
    if (told.length > 0) this.sink.tell(newestFirst(told));
  }

  /** Where another value goes by the key of one that was deleted, that one is read and told instead. */
  #uncovers(id: string): boolean {
    const others = this.source.others(id).filter((other) => this.#known.has(other));
    for (const other of others) this.#known.set(other, UNTOLD);
    if (others.length > 0) this.#missed = true;
    return others.length > 0;
  }

  #isOld({ id, ts }: LiveEntry): boolean {
    const known = this.#known.get(id);
    return known !== undefined && ts < timeOf(known);
  }

  #know(state: readonly LiveEntry[]): void {
    this.#known.clear();
    for (const entry of state) this.#known.set(entry.id, printOf(entry));
  }

  #different(state: readonly LiveEntry[]): LiveEntry[] {
    const different = state.filter((entry) => this.#known.get(entry.id) !== printOf(entry));
    if (!this.source.tellsAbsence) return different;
    const there = new Set(state.map(({ id }) => id));
    for (const id of this.#known.keys()) {
      if (!there.has(id)) different.push({ id, key: id.slice(id.indexOf(' ') + 1), ts: 0, value: undefined });
    }
    return different;
  }
}

/** Clients read the first value of a key. Of the same time the one that came last is the newest. */
function newestFirst(entries: readonly LiveEntry[]): readonly LiveEntry[] {
  if (new Set(entries.map(({ key }) => key)).size === entries.length) return entries;
  return [...entries].reverse().sort((a, b) => b.ts - a.ts);
}

/**
 * Of changes that were made around a read: what the read does not have. A state has those of an id up to the last one that is
 * in it; of a history it can be told of each one by itself.
 */
function withoutRead(changes: readonly (readonly LiveEntry[])[], first: FirstState): readonly (readonly LiveEntry[])[] {
  if (changes.length === 0) return changes;
  if (first.kind === 'history') {
    const told = new Set(first.entries.map((entry) => `${entry.id} ${printOf(entry)}`));
    return changes.map((entries) => entries.filter((entry) => !told.has(`${entry.id} ${printOf(entry)}`)));
  }
  const prints = new Map(first.entries.map((entry) => [entry.id, printOf(entry)]));
  const last = new Map<string, number>();
  for (const [n, entries] of changes.entries()) {
    for (const entry of entries) {
      if (prints.get(entry.id) === (entry.value === undefined ? undefined : printOf(entry))) last.set(entry.id, n);
    }
  }
  return changes.map((entries, n) => entries.filter(({ id }) => n > (last.get(id) ?? -1)));
}
