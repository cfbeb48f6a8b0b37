import {
  type Clock,
  CountedListener,
  type DeviceFeed,
  type DeviceStore,
  type FeedMessage,
  type FeedWatch,
  type Logger,
  type MetricsRegistry,
  type Millis,
  type UncountedMessage,
  type Uuid,
} from '@tandem/core';
import { type Commands, loadScript } from '../client';
import type { Keys } from '../keys';
import { changeOf } from './feed-text';
import { Rereads, type Turn } from './rereads';
import type { Subscription, Subscriptions } from './subscriptions';

const MARK = loadScript('feed-mark');
/** A mark that is not heard by then got lost with the subscription. */
const MARK_TIMEOUT: Millis = 2_000;

export interface FeedOptions {
  readonly keys: Keys;
  /** Names this process in messages; without a space. */
  readonly processId: string;
  readonly publish: 'PUBLISH' | 'SPUBLISH';
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
  /** Everybody is told this often that something may have been missed, whether or not anything was. */
  readonly rereadInterval: Millis;
}

/** A device that somebody watches. */
interface Watched extends Turn {
  readonly deviceId: Uuid;
  readonly channel: string;
  readonly subscription: Subscription;
  readonly watches: Set<CountedListener>;
  /** Marks that are under way, by their message: to be called with whether it was heard. */
  readonly marks: Map<string, (heard: boolean) => void>;
  /** Those who wait for the subscription: to be called with whether it is there. */
  readonly waiting: Set<(there: boolean) => void>;
  /** How often it came back. */
  resumptions: number;
}

/**
 * Who watches which device in this process. A channel for each, in the slot of the device, on which the scripts that write
 * publish where it has subscribers. A mark is a message on it as well: what comes before it was published before. Where
 * messages may have got lost, after a reconnection, and now and then in any case, everybody is told so.
 */
export class RedisFeed implements DeviceFeed {
  readonly #watched = new Map<Uuid, Watched>();
  readonly #rereads: Rereads<Watched>;
  readonly #off: (() => void)[];
  #marks = 0;

  constructor(
    private readonly commands: Commands,
    private readonly subscriptions: Subscriptions,
    devices: Pick<DeviceStore, 'onSessionChange'>,
    private readonly options: FeedOptions,
  ) {
    this.#rereads = new Rereads(options.clock, options.rereadInterval, missed);
    this.#off = [
      subscriptions.onReconnect((channels) => this.#resumed(channels)),
      devices.onSessionChange((change) => {
        if (change.kind === 'deleted') this.#gone(change.deviceId);
        else if (change.kind === 'missed') this.#rereads.soon(this.#watched.values());
      }),
    ];
    options.metrics.gauge('tandem_feed_devices', () => this.#watched.size);
  }

  watch(deviceId: Uuid, listener: (message: FeedMessage) => void): FeedWatch {
    const watched = this.#watched.get(deviceId) ?? this.#subscribe(deviceId);
    const counted = new CountedListener(listener, this.options.logger);
    watched.watches.add(counted);
    return {
      mark: async () => {
        await watched.subscription.pending;
        await this.#mark(watched);
        return counted.heard;
      },
      leave: () => {
        if (watched.watches.delete(counted) && watched.watches.size === 0) this.#unsubscribe(watched);
      },
    };
  }

  /** Nobody is told anything any more. */
  close(): void {
    for (const off of this.#off) off();
    this.#rereads.close();
    for (const watched of this.#watched.values()) {
      watched.watches.clear();
      pass(watched);
    }
  }

  #subscribe(deviceId: Uuid): Watched {
    const channel = this.options.keys.feedChannel(deviceId);
    const watched: Watched = {
      deviceId,
      channel,
      subscription: this.subscriptions.subscribe(channel, (text) => hear(watched, text)),
      watches: new Set(),
      marks: new Map(),
      waiting: new Set(),
      resumptions: 0,
      part: 0,
    };
    this.#watched.set(deviceId, watched);
    this.#rereads.add(watched);
    return watched;
  }

  #unsubscribe(watched: Watched): void {
    this.#watched.delete(watched.deviceId);
    this.#rereads.remove(watched);
    watched.subscription.leave();
    pass(watched);
  }

  /** Resolves when a mark was heard, or there is no subscription to hear it: then `missed` follows. */
  async #mark(watched: Watched): Promise<void> {
    for (;;) {
      const { resumptions } = watched;
      if (await this.#sendMark(watched)) return;
      if (watched.resumptions !== resumptions || (await this.#inTime((done) => waitAt(watched.waiting, done))))
        continue;
      // Perhaps it is only slow, and nobody will be told of a reconnection.
      this.#rereads.soon([watched]);
      return;
    }
  }

  /** @returns whether it was heard */
  async #sendMark(watched: Watched): Promise<boolean> {
    const { processId, publish } = this.options;
    this.#marks++;
    const message = `m ${processId} ${this.#marks}`;
    const heard = this.#inTime((done) => {
      watched.marks.set(message, done);
      return () => watched.marks.delete(message);
    });
    try {
      const ears = await this.commands.run<number>(MARK, [watched.channel], [publish, message]);
      if (ears === 0) watched.marks.get(message)?.(false);
    } catch (error) {
      watched.marks.get(message)?.(false);
      throw error;
    }
    return heard;
  }

  /** @param wait hands over whom to call, and gives back how that is taken back */
  #inTime(wait: (done: (yes: boolean) => void) => () => void): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = this.options.clock.setTimer(MARK_TIMEOUT, () => done(false));
      const done = (yes: boolean) => {
        timer.cancel();
        forget();
        resolve(yes);
      };
      const forget = wait(done);
    });
  }

  #resumed(channels: ReadonlySet<string>): void {
    const missing: Watched[] = [];
    for (const channel of channels) {
      const deviceId = this.options.keys.fedDevice(channel);
      const watched = deviceId === undefined ? undefined : this.#watched.get(deviceId);
      if (!watched) continue;
      watched.resumptions++;
      for (const resume of [...watched.waiting]) resume(true);
      missing.push(watched);
    }
    this.#rereads.soon(missing);
  }

  #gone(deviceId: Uuid): void {
    const watched = this.#watched.get(deviceId);
    if (watched) tell(watched, { kind: 'gone' });
  }
}

function hear(watched: Watched, text: string): void {
  if (text.startsWith('m ')) {
    watched.marks.get(text)?.(true);
    return;
  }
  const change = changeOf(text);
  if (change) tell(watched, change);
  // What cannot be told in so many words has to be read.
  else missed(watched);
}

function missed(watched: Watched): void {
  tell(watched, { kind: 'missed' });
}

/** Nobody waits in vain. */
function pass({ marks, waiting }: Watched): void {
  for (const done of [...marks.values(), ...waiting]) done(false);
}

function waitAt<T>(waiting: Set<T>, done: T): () => void {
  waiting.add(done);
  return () => waiting.delete(done);
}

/** Listeners may leave, and take others along, while they are being told. */
function tell({ watches }: Watched, message: UncountedMessage): void {
  for (const listener of [...watches]) if (watches.has(listener)) listener.hear(message);
}
