import {
  type Clock,
  type Logger,
  type MetricsRegistry,
  type Millis,
  type Timer,
  tellAll,
  type Uuid,
  type Wake,
} from '@tandem/core';
import type { Keys } from '../keys';
import { Rereads, type Turn } from './rereads';
import type { Subscription, Subscriptions } from './subscriptions';

type Listener = (wake: Wake) => void;

export interface WakeUpOptions {
  readonly keys: Keys;
  /** Names this process in messages; without a space. */
  readonly processId: string;
  /** Whether channels are those of a shard. */
  readonly cluster: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
  /** Every waiter is woken this often, told or not. */
  readonly rereadInterval: Millis;
}

/** A device that somebody waits for, or did until lately. */
interface Watched extends Turn {
  readonly subscription: Subscription;
  readonly listeners: Set<Listener>;
}

const EVERYTHING: readonly Wake[] = ['attributes', 'rpc', 'observer'];
/** A device that polls again and again keeps its subscription between two polls. */
const LINGER: Millis = 30_000;
/** Subscriptions without a waiter; beyond it the oldest goes. */
const MAX_LINGERING = 20_000;
const AT_ONCE = Promise.resolve();

/**
 * Who waits for which device in this process, and the hints of all processes that it changed. A hint is a message
 * `<process> <kind>` on the channel of the device. Where hints may have got lost, after a reconnection, and now and then in
 * any case, everybody is woken.
 */
export class RedisWakeUps {
  readonly #watched = new Map<Uuid, Watched>();
  /** Nobody waits for these any more; with the time at which their subscription ends, the next one first. */
  readonly #lingering = new Map<Uuid, Millis>();
  readonly #rereads: Rereads<Watched>;
  readonly #offReconnect: () => void;
  #lingerTimer: Timer | undefined;
  /** Until then a message of this process may be of a write that it was not told of. */
  #hearOwnUntil: Millis = 0;

  constructor(
    private readonly subscriptions: Subscriptions,
    private readonly options: WakeUpOptions,
  ) {
    this.#rereads = new Rereads(options.clock, options.rereadInterval, (watched) => {
      for (const wake of EVERYTHING) this.#call(watched, wake);
    });
    this.#offReconnect = subscriptions.onReconnect((channels) => this.#reread(channels));
    options.metrics.gauge('tandem_devices_watched', () => this.#watched.size - this.#lingering.size);
    options.metrics.gauge('tandem_wake_subscriptions', () => this.#watched.size);
  }

  /** The command that publishes: the scripts take it as an argument. */
  get publish(): 'PUBLISH' | 'SPUBLISH' {
    return this.options.cluster ? 'SPUBLISH' : 'PUBLISH';
  }

  /** What is published. */
  message(wake: Wake): string {
    return `${this.options.processId} ${wake}`;
  }

  /** As `DeviceEvents.watch`. */
  watch(deviceId: Uuid, listener: Listener): () => void {
    const watched = this.#watched.get(deviceId) ?? this.#subscribe(deviceId);
    if (watched.listeners.size === 0) this.#rereads.add(watched);
    this.#lingering.delete(deviceId);
    // A function of its own, so that the same one may watch twice.
    const own: Listener = (wake) => listener(wake);
    watched.listeners.add(own);
    return () => {
      if (!watched.listeners.delete(own) || watched.listeners.size > 0) return;
      this.#rereads.remove(watched);
      this.#linger(deviceId);
    };
  }

  /**
   * Resolves when the changes of a device that is waited for are heard, or will be followed by a wake-up once they are. What
   * a waiter reads after `watch` is read after this: it shows a change, or the change wakes.
   */
  ready(deviceId: Uuid): Promise<void> {
    return this.#watched.get(deviceId)?.subscription.pending ?? AT_ONCE;
  }

  /** For a write of this process: its own messages are not listened to. */
  wakeLocally(deviceId: Uuid, wake: Wake): void {
    const watched = this.#watched.get(deviceId);
    if (watched) this.#call(watched, wake);
  }

  /**
   * Wakes the listeners of this process once a write is done, before whoever wrote is told, and passes its reply on. Writes
   * that are answered one after the other wake in that order.
   * @param changed whether the reply tells of a change
   */
  async after<T>(deviceId: Uuid, wake: Wake, write: Promise<T>, changed: (reply: T) => boolean): Promise<T> {
    try {
      const reply = await write;
      if (changed(reply)) this.wakeLocally(deviceId, wake);
      return reply;
    } catch (error) {
      // It may have been done, or may still be: whoever waits looks, now and when its message comes.
      this.#hearOwnUntil = this.options.clock.monotonic() + this.options.rereadInterval;
      this.wakeLocally(deviceId, wake);
      throw error;
    }
  }

  /** Nobody is woken any more. */
  close(): void {
    this.#offReconnect();
    this.#rereads.close();
    this.#lingerTimer?.cancel();
    for (const { listeners } of this.#watched.values()) listeners.clear();
  }

  #subscribe(deviceId: Uuid): Watched {
    const channel = this.options.keys.wakeChannel(deviceId);
    const watched: Watched = {
      subscription: this.subscriptions.subscribe(channel, this.#hear),
      listeners: new Set(),
      part: 0,
    };
    this.#watched.set(deviceId, watched);
    return watched;
  }

  readonly #hear = (message: string, channel: string): void => {
    const space = message.indexOf(' ');
    if (space < 0) return;
    const own = message.slice(0, space) === this.options.processId;
    if (own && this.options.clock.monotonic() >= this.#hearOwnUntil) return;
    const wake = EVERYTHING.find((kind) => kind === message.slice(space + 1));
    const deviceId = this.options.keys.wokenDevice(channel);
    if (wake && deviceId !== undefined) this.wakeLocally(deviceId, wake);
  };

  #reread(channels: ReadonlySet<string>): void {
    const missed: Watched[] = [];
    for (const channel of channels) {
      const deviceId = this.options.keys.wokenDevice(channel);
      const watched = deviceId === undefined ? undefined : this.#watched.get(deviceId);
      if (watched) missed.push(watched);
    }
    this.#rereads.soon(missed);
  }

  #linger(deviceId: Uuid): void {
    this.#lingering.set(deviceId, this.options.clock.monotonic() + LINGER);
    if (this.#lingering.size > MAX_LINGERING) this.#unsubscribeNext();
    this.#lingerTimer ??= this.options.clock.setTimer(LINGER, () => this.#unsubscribeDue());
  }

  #unsubscribeDue(): void {
    const now = this.options.clock.monotonic();
    for (const [, due] of this.#lingering) {
      if (due > now) {
        this.#lingerTimer = this.options.clock.setTimer(due - now, () => this.#unsubscribeDue());
        return;
      }
      this.#unsubscribeNext();
    }
    this.#lingerTimer = undefined;
  }

  #unsubscribeNext(): void {
    for (const [deviceId] of this.#lingering) {
      this.#watched.get(deviceId)?.subscription.leave();
      this.#watched.delete(deviceId);
      this.#lingering.delete(deviceId);
      return;
    }
  }

  #call({ listeners }: Watched, wake: Wake): void {
    tellAll(listeners, wake, this.options.logger);
  }
}
