import {
  type Clock,
  type Logger,
  type MetricName,
  MetricsRegistry,
  type RedisAddress,
  type State,
  silentLogger,
  systemClock,
  systemRandom,
  type Uuid,
  type Wake,
} from '@tandem/core';
import { aDevice, aProfile, credentialsOf } from '@tandem/core/testing';
import type { Cluster, Redis } from 'ioredis';
import { RedisAttributes } from '../../attributes';
import { Commands, closeClient, openClient } from '../../client';
import { Keys } from '../../keys';
import { Registry } from '../../registry';
import { RedisRpcs } from '../../rpc/redis-rpcs';
import { PATIENCE } from '../../testing/patience';
import { RedisEvents } from '../redis-events';
import { RedisSubscriptions } from '../subscriptions';
import { RedisWakeUps } from '../wake-ups';

export interface EventProcessOptions {
  readonly cluster?: boolean;
  readonly prefix?: string;
  readonly processId?: string;
  readonly eventLogMax?: number;
  readonly rereadInterval?: number;
  readonly timeout?: number;
  /** Where subscriptions go, if elsewhere. */
  readonly subscribeAt?: RedisAddress;
  /** Of the wake-ups and subscriptions. */
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** Far away: what a test waits for comes from elsewhere, or does not come. */
const NEVER = 3_600_000;
let processes = 0;

/** What one gateway process has of devices, attributes, events and commands, over connections of its own. */
export class EventProcess {
  readonly keys: Keys;
  readonly metrics = new MetricsRegistry();
  readonly client: Redis | Cluster;
  readonly commands: Commands;
  readonly subscriptions: RedisSubscriptions;
  readonly wakeUps: RedisWakeUps;
  readonly registry: Registry;
  readonly events: RedisEvents;
  readonly attributes: RedisAttributes;
  readonly rpcs: RedisRpcs;
  readonly #waiting: Redis | Cluster;

  constructor(address: RedisAddress, options: EventProcessOptions = {}) {
    const { cluster = false, clock = systemClock, logger = silentLogger, timeout = PATIENCE } = options;
    const processId = options.processId ?? `process-${++processes}`;
    const settings = { address, cluster, timeout };
    const keys = new Keys(options.prefix ?? 'tandem');
    this.keys = keys;
    this.client = openClient(settings, logger);
    this.#waiting = openClient(settings, logger);
    this.commands = new Commands(this.client, this.#waiting, { waitReplicas: 0, timeout, logger });
    this.subscriptions = new RedisSubscriptions(this.client, {
      address: options.subscribeAt ?? address,
      clock,
      logger,
    });
    this.wakeUps = new RedisWakeUps(this.subscriptions, {
      keys,
      processId,
      cluster,
      clock,
      logger: options.logger ?? silentLogger,
      metrics: this.metrics,
      rereadInterval: options.rereadInterval ?? NEVER,
    });
    const { publish } = this.wakeUps;
    this.registry = new Registry(this.commands, keys, this.#wakeSource(), {
      directoryMax: 1_000,
      changeWait: 500,
      processId,
      publish,
      clock: systemClock,
      random: systemRandom,
      logger,
      metrics: this.metrics,
      wake: (deviceId) => this.wakeUps.wakeLocally(deviceId, 'rpc'),
      changesInterval: NEVER,
      purgeInterval: NEVER,
    });
    const { births } = this.registry;
    this.events = new RedisEvents(this.commands, keys, this.wakeUps, births);
    this.attributes = new RedisAttributes(this.commands, keys, this.wakeUps, births, {
      processId,
      eventLogMax: options.eventLogMax ?? 256,
    });
    this.rpcs = new RedisRpcs(this.commands, keys, births, this.wakeUps, {
      maxPending: 1_000,
      maxFinished: 1_000,
      cacheMax: 1_000,
      processId,
      publish,
      metrics: this.metrics,
    });
  }

  static async start(address: RedisAddress, options?: EventProcessOptions): Promise<EventProcess> {
    const process = new EventProcess(address, options);
    await process.registry.start();
    return process;
  }

  /** As far as it goes. */
  get state(): State {
    const { events, attributes, rpcs } = this;
    return { devices: this.registry.devices, events, attributes, rpcs } as unknown as State;
  }

  async device(): Promise<Uuid> {
    const profile = aProfile();
    await this.registry.devices.createProfile(profile);
    const device = aDevice(profile);
    await this.registry.devices.createDevice(device, credentialsOf(device));
    return device.id;
  }

  /** Waits for a device; what it is woken with is collected. */
  async watch(deviceId: Uuid): Promise<Heard> {
    const heard = new Heard();
    this.events.watch(deviceId, (wake) => heard.hear(wake));
    await this.wakeUps.ready(deviceId);
    return heard;
  }

  metric(name: MetricName): number | undefined {
    return this.metrics.value(name);
  }

  async close(): Promise<void> {
    this.wakeUps.close();
    await this.registry.close();
    await this.commands.close();
    await this.subscriptions.close();
    await Promise.all([closeClient(this.client), closeClient(this.#waiting)]);
  }

  #wakeSource() {
    return {
      onWake: (channel: string, listener: (message: string) => void) =>
        this.subscriptions.subscribe(channel, listener).leave,
      onReconnect: (listener: () => void) => this.subscriptions.onReconnect(() => listener()),
    };
  }
}

/** What a waiter was woken with. */
export class Heard {
  readonly wakes: Wake[] = [];
  #changed = () => {};

  hear(wake: Wake): void {
    this.wakes.push(wake);
    this.#changed();
  }

  /** Resolves when it was woken so often. */
  async times(count: number): Promise<readonly Wake[]> {
    while (this.wakes.length < count) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
    return this.wakes;
  }
}
