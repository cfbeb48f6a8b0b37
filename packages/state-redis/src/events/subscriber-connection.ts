import type { Clock, Millis, Timer } from '@tandem/core';
import { Redis, type RedisOptions } from 'ioredis';
import { closeClient } from '../client';
import type { Channel } from './channel';
import { Round } from './round';

/** What is heard of a connection. Nothing after `close`. */
export interface ConnectionEvents {
  /** It takes subscriptions. */
  ready(connection: SubscriberConnection): void;
  message(connection: SubscriberConnection, channel: string, text: string): void;
  confirmed(channels: readonly Channel[]): void;
  /** These are not subscribed here any more, or never were. @param error the answer of Redis, if there was one */
  lost(channels: readonly Channel[], error?: Error): void;
  /** The node gave up slots of its own accord, and nobody knows which channels it still has. */
  moved(connection: SubscriberConnection): void;
}

/** Channels in one command. */
const BATCH = 500;
/** A connection whose other end is gone without a word is found out by this. */
const PING_EVERY: Millis = 10_000;
const ANSWERS_WITHIN: Millis = 5_000;

/**
 * One connection to one node for subscriptions and nothing else. What is asked for in one turn of the event loop goes out
 * together. It reconnects for ever; what was subscribed is lost then, and told to be: whoever wants it asks again.
 */
export class SubscriberConnection {
  readonly #redis: Redis;
  readonly #channels = new Set<Channel>();
  readonly #leaving = new Map<string, number>();
  /** What the next turn asks for. */
  #round: Round | undefined;
  #flushing: NodeJS.Immediate | undefined;
  #ping: Timer | undefined;
  /** Words of ioredis that a slot has moved, less those that a refused subscription explains. */
  #moves = 0;
  #closed = false;

  /** @param sharded SSUBSCRIBE instead of SUBSCRIBE, all channels of a command in one slot */
  constructor(
    options: RedisOptions,
    private readonly sharded: boolean,
    private readonly clock: Clock,
    private readonly events: ConnectionEvents,
    onError: (error: Error) => void,
  ) {
    this.#redis = new Redis({
      ...options,
      autoResubscribe: false,
      autoResendUnfulfilledCommands: false,
      enableOfflineQueue: false,
      socketTimeout: ANSWERS_WITHIN,
    });
    this.#redis.on('error', onError);
    this.#redis.on('ready', () => this.#ready());
    this.#redis.on('close', () => this.#lose());
    this.#redis.on('moved', () => this.#moved());
    this.#redis.on(sharded ? 'smessage' : 'message', (channel: string, text: string) => {
      if (!this.#closed) this.events.message(this, channel, text);
    });
  }

  get ready(): boolean {
    return this.#redis.status === 'ready' && !this.#closed;
  }

  get channels(): ReadonlySet<Channel> {
    return this.#channels;
  }

  /** To be called when it is ready. */
  subscribe(channel: Channel): void {
    this.#round ??= new Round(this.clock);
    this.#round.channels.push(channel);
    this.#channels.add(channel);
    channel.connection = this;
    channel.round = this.#round;
    this.#flushSoon();
  }

  unsubscribe(channel: Channel): void {
    if (this.#channels.has(channel)) this.drop(channel.name, channel.slot);
    this.#release([channel]);
  }

  /** Unsubscribes from what nobody asked for, or nobody wants any more. */
  drop(channel: string, slot: number): void {
    this.#leaving.set(channel, slot);
    this.#flushSoon();
  }

  /** These belong elsewhere, or nobody knows whether the node still has them: they are to be asked for anew. */
  forsake(channels: readonly Channel[]): void {
    this.#release(channels);
    for (const channel of channels) channel.missed = true;
    this.events.lost(channels);
  }

  /** Resolves when the connection is gone. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#ping?.cancel();
    if (this.#flushing) clearImmediate(this.#flushing);
    this.#round?.end();
    for (const { round } of this.#channels) round?.end();
    await closeClient(this.#redis);
  }

  #ready(): void {
    if (this.#closed) return;
    this.#pingLater();
    this.events.ready(this);
  }

  /** ioredis ends a connection that has not answered a command in time. */
  #pingLater(): void {
    this.#ping?.cancel();
    this.#ping = this.clock.setTimer(PING_EVERY, () => {
      if (!this.ready) return;
      this.#redis.ping().catch(() => {});
      this.#pingLater();
    });
  }

  #lose(): void {
    if (this.#closed) return;
    this.#ping?.cancel();
    this.#leaving.clear();
    this.#moves = 0;
    const channels = [...this.#channels];
    const rounds = new Set<Round | undefined>([this.#round, ...channels.map(({ round }) => round)]);
    this.#round = undefined;
    for (const round of rounds) round?.end();
    if (channels.length > 0) this.forsake(channels);
  }

  #flushSoon(): void {
    this.#flushing ??= setImmediate(() => {
      this.#flushing = undefined;
      this.#flush();
    });
  }

  /** What is left goes first: a channel that was left and is wanted again is subscribed in the end. */
  #flush(): void {
    const round = this.#round;
    const leaving = [...this.#leaving].map(([name, slot]) => ({ name, slot }));
    this.#round = undefined;
    this.#leaving.clear();
    if (!this.ready) return;
    const { stream } = this.#redis;
    stream.cork();
    for (const batch of this.#batches(leaving)) this.#leave(batch.map(({ name }) => name));
    if (round) this.#join(round);
    stream.uncork();
  }

  #leave(names: string[]): void {
    const left = this.sharded ? this.#redis.sunsubscribe(...names) : this.#redis.unsubscribe(...names);
    // Refused or unanswered: messages that still come are dropped again.
    left.catch(() => {});
  }

  #join(round: Round): void {
    const batches = this.#batches(round.channels.filter((channel) => channel.round === round));
    let open = batches.length;
    if (open === 0) round.end();
    const answered = () => {
      open--;
      if (open === 0) round.end();
    };
    for (const batch of batches) {
      const names = batch.map(({ name }) => name);
      const joined = this.sharded ? this.#redis.ssubscribe(...names) : this.#redis.subscribe(...names);
      joined.then(
        () => {
          this.#confirm(batch, round);
          answered();
        },
        (error: Error) => {
          this.#refused(batch, round, error);
          answered();
        },
      );
    }
  }

  #confirm(batch: readonly Channel[], round: Round): void {
    const confirmed = batch.filter((channel) => channel.round === round);
    for (const channel of confirmed) channel.round = undefined;
    if (!this.#closed) this.events.confirmed(confirmed);
  }

  #refused(batch: readonly Channel[], round: Round, error: Error): void {
    const refused = batch.filter((channel) => channel.round === round);
    if (error.message.startsWith('MOVED')) this.#moves--;
    this.#release(refused);
    for (const channel of refused) channel.missed = true;
    if (!this.#closed && refused.length > 0) this.events.lost(refused, error);
  }

  #release(channels: readonly Channel[]): void {
    for (const channel of channels) {
      if (!this.#channels.delete(channel)) continue;
      channel.connection = undefined;
      channel.round = undefined;
    }
  }

  /** A refused subscription and a slot that is given away look alike: the former is heard of right after. */
  #moved(): void {
    this.#moves++;
    setImmediate(() => {
      if (this.#moves <= 0) return;
      this.#moves = 0;
      if (!this.#closed) this.events.moved(this);
    });
  }

  /** Batches for one command each. */
  #batches<T extends { readonly slot: number }>(items: readonly T[]): T[][] {
    if (!this.sharded) return chunks(items);
    const bySlot = new Map<number, T[]>();
    for (const item of items) {
      const others = bySlot.get(item.slot);
      if (others) others.push(item);
      else bySlot.set(item.slot, [item]);
    }
    return [...bySlot.values()].flatMap((ofSlot) => (ofSlot.length > BATCH ? chunks(ofSlot) : [ofSlot]));
  }
}

function chunks<T>(items: readonly T[]): T[][] {
  const batches: T[][] = [];
  for (let first = 0; first < items.length; first += BATCH) batches.push(items.slice(first, first + BATCH));
  return batches;
}
