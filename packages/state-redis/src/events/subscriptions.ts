import { type Clock, type Logger, type Millis, type RedisAddress, type Timer, tellAll } from '@tandem/core';
import slotOf from 'cluster-key-slot';
import { Cluster, type Redis } from 'ioredis';
import { serverOptions } from '../client/connection-options';
import { isPassing } from '../client/failures';
import { Channel, type ChannelListener } from './channel';
import { ClusterRoutes } from './cluster-routes';
import { OneRoute, type Routes } from './routes';
import { type ConnectionEvents, SubscriberConnection } from './subscriber-connection';

export type { ChannelListener } from './channel';

/** One channel that is listened to. */
export interface Subscription {
  /**
   * Undefined when messages come, or when it is not known when they will: then `onReconnect` tells when they do. Else
   * resolves when one or the other is so, within a second.
   */
  readonly pending: Promise<void> | undefined;
  leave(): void;
}

/** Channels of Redis: messages are hints and can get lost, but never without `onReconnect` being told. */
export interface Subscriptions {
  /** One listener for each channel. On a Cluster these are shard channels. */
  subscribe(channel: string, listener: ChannelListener): Subscription;
  /**
   * Messages come (again) on these channels, and some may have been missed before. Not told of a subscription that was
   * waited for and came in time.
   * @returns stops listening
   */
  onReconnect(listener: (channels: ReadonlySet<string>) => void): () => void;
}

export interface SubscriptionOptions {
  readonly address: RedisAddress;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Between attempts to subscribe where a node refuses, or is not there. */
const FIRST_PAUSE: Millis = 100;
const LONGEST_PAUSE: Millis = 2_000;
/** A refusal is told once in this time. */
const QUIET: Millis = 60_000;

/** Keeps every channel that is wanted subscribed, whatever happens to connections and nodes. */
export class RedisSubscriptions implements Subscriptions {
  readonly #channels = new Map<string, Channel>();
  /** Wanted, and without a connection. */
  readonly #homeless = new Set<Channel>();
  /** Their nodes gave up slots: which channels they still have is to be found out by asking for all again. */
  readonly #doubtful = new Set<SubscriberConnection>();
  readonly #listeners = new Set<(channels: ReadonlySet<string>) => void>();
  readonly #routes: Routes;
  /** Whoever listens to these is to be told in this turn of the event loop. */
  #resumed = new Set<string>();
  #telling: NodeJS.Immediate | undefined;
  #retry: Timer | undefined;
  #pause = FIRST_PAUSE;
  #quietUntil: Millis = 0;
  #closed = false;

  /** @param client that of the commands: a Cluster has the map of the slots */
  constructor(
    client: Redis | Cluster,
    private readonly options: SubscriptionOptions,
  ) {
    const cluster = client instanceof Cluster ? client : undefined;
    const events: ConnectionEvents = {
      ready: () => this.#settle(),
      message: (connection, channel, text) => this.#heard(connection, channel, text),
      confirmed: (channels) => this.#confirmed(channels),
      lost: (channels, error) => this.#lost(channels, error),
      moved: (connection) => {
        this.#doubtful.add(connection);
        this.#retryLater();
      },
    };
    const open = (host: string, port: number) =>
      new SubscriberConnection(
        { ...serverOptions(options.address), host, port },
        cluster !== undefined,
        options.clock,
        events,
        (error) => this.#debug(error),
      );
    const [node] = options.address.nodes;
    this.#routes = cluster
      ? new ClusterRoutes(cluster, open, () => this.#reroute())
      : new OneRoute(open(node?.host ?? '127.0.0.1', node?.port ?? 6379));
  }

  /** How many channels are listened to. */
  get size(): number {
    return this.#channels.size;
  }

  /** How many of them nothing is heard of at present. */
  get lost(): number {
    return this.#homeless.size;
  }

  subscribe(name: string, listener: ChannelListener): Subscription {
    if (this.#channels.has(name)) throw new Error(`${name} has a listener already`);
    const channel = new Channel(name, slotOf(name), listener);
    this.#channels.set(name, channel);
    this.#place(channel);
    return {
      get pending() {
        return channel.missed ? undefined : channel.round?.over;
      },
      leave: () => this.#leave(channel),
    };
  }

  onReconnect(listener: (channels: ReadonlySet<string>) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Resolves when no connection is open. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    if (this.#telling) clearImmediate(this.#telling);
    this.#homeless.clear();
    await this.#routes.close();
  }

  #place(channel: Channel): void {
    if (this.#closed) return;
    const connection = this.#routes.connectionFor(channel.slot);
    if (connection) {
      this.#homeless.delete(channel);
      connection.subscribe(channel);
      return;
    }
    channel.missed = true;
    this.#homeless.add(channel);
    this.#retryLater();
  }

  #leave(channel: Channel): void {
    if (!channel.wanted) return;
    channel.wanted = false;
    this.#channels.delete(channel.name);
    this.#homeless.delete(channel);
    channel.connection?.unsubscribe(channel);
  }

  #settle(): void {
    for (const channel of [...this.#homeless]) this.#place(channel);
  }

  #heard(connection: SubscriberConnection, name: string, text: string): void {
    const channel = this.#channels.get(name);
    if (channel) channel.listener(text, name);
    else connection.drop(name, slotOf(name));
  }

  #confirmed(channels: readonly Channel[]): void {
    this.#pause = FIRST_PAUSE;
    for (const channel of channels) {
      if (channel.missed) this.#resumed.add(channel.name);
      channel.missed = false;
    }
    if (this.#resumed.size > 0) this.#telling ??= setImmediate(() => this.#tell());
  }

  #tell(): void {
    const resumed = this.#resumed;
    this.#resumed = new Set();
    this.#telling = undefined;
    tellAll<ReadonlySet<string>>(this.#listeners, resumed, this.options.logger);
  }

  #lost(channels: readonly Channel[], error: Error | undefined): void {
    if (error) this.#refused(error);
    for (const channel of channels) if (channel.wanted) this.#homeless.add(channel);
    this.#retryLater();
  }

  /** Slots have other masters: their channels move there. */
  #reroute(): void {
    for (const channel of this.#channels.values()) {
      const { connection } = channel;
      if (connection && !this.#routes.isRight(connection, channel.slot)) connection.forsake([channel]);
    }
    this.#settle();
  }

  #retryLater(): void {
    if (this.#closed || this.#retry) return;
    this.#retry = this.options.clock.setTimer(this.#pause, () => {
      this.#retry = undefined;
      this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
      this.#routes.lookAgain();
      for (const connection of this.#doubtful) connection.forsake([...connection.channels]);
      this.#doubtful.clear();
      this.#settle();
    });
  }

  /** What does not pass by itself, such as a user without the right to subscribe, is for the log. */
  #refused(error: Error): void {
    const { clock, logger } = this.options;
    if (isPassing(error)) {
      this.#debug(error);
    } else if (clock.monotonic() >= this.#quietUntil) {
      this.#quietUntil = clock.monotonic() + QUIET;
      logger.error('Redis refuses a subscription: changes of other processes are seen late', { error: error.message });
    }
  }

  #debug(error: Error): void {
    const { logger } = this.options;
    if (logger.debugEnabled) logger.debug('Redis subscriptions', { error: error.message });
  }
}
