import {
  type Logger,
  MetricsRegistry,
  type SessionChange,
  silentLogger,
  systemClock,
  systemRandom,
  type Uuid,
} from '@tandem/core';
import type { Redis } from 'ioredis';
import { Commands, closeClient, openClient } from '../../client';
import type { Keys } from '../../keys';
import { openSubscriber } from '../../testing/open-subscriber';
import { PATIENCE } from '../../testing/patience';
import type { RedisServer } from '../../testing/redis-server';
import { Registry, type RegistryOptions } from '../registry';
import type { WakeSource } from '../wake-source';

/** Far away: what a test waits for comes from elsewhere, or does not come. */
const NEVER = 3_600_000;

type Told = [level: string, message: string, deviceId: unknown];

/** Collects what is written to the log. */
function collectLogger(lines: string[], told: Told[]): Logger {
  const collect = (level: string): Logger['error'] => {
    return (message, fields) => {
      lines.push(message);
      told.push([level, message, fields?.deviceId]);
    };
  };
  return { ...silentLogger, warn: collect('warn'), error: collect('error') };
}

/** What happens to a write on its way: `send` sends it and resolves with the answer. */
export type Network = <T>(send: () => Promise<T>) => Promise<T>;

class CommandsOverNetwork extends Commands {
  network: Network = (send) => send();
  override write<T>(...write: Parameters<Commands['write']>): Promise<T> {
    return this.network(() => super.write<T>(...write));
  }
}

/** A subscriber that hears nothing until it is said to have been away. */
export class DeafWakes implements WakeSource {
  #listener = () => {};
  onWake(): () => void {
    return () => {};
  }
  onReconnect(listener: () => void): () => void {
    this.#listener = listener;
    return () => {};
  }
  reconnected(): void {
    this.#listener();
  }
}

/** The registry of one gateway process, with connections of its own. */
export class RegistryProcess {
  readonly heard: SessionChange[] = [];
  readonly woken: Uuid[] = [];
  readonly log: string[] = [];
  /** The same with its level and the device it is about. */
  readonly told: Told[] = [];
  readonly registry: Registry;
  readonly commands: CommandsOverNetwork;
  readonly #clients: Redis[];
  #changed = () => {};
  resets = 0;

  private constructor(
    server: RedisServer,
    readonly keys: Keys,
    processId: string,
    wakes: WakeSource | undefined,
    options: Partial<RegistryOptions>,
  ) {
    const logger = collectLogger(this.log, this.told);
    const settings = { address: server.address, cluster: false, timeout: PATIENCE };
    const client = openClient(settings, logger) as Redis;
    const waiting = openClient(settings, logger) as Redis;
    const subscriber = openSubscriber(settings);
    this.#clients = [client, waiting, subscriber];
    this.commands = new CommandsOverNetwork(client, waiting, { waitReplicas: 0, timeout: PATIENCE, logger });
    this.registry = new Registry(this.commands, keys, wakes ?? subscribed(subscriber), {
      processId,
      publish: 'PUBLISH',
      clock: systemClock,
      random: systemRandom,
      logger,
      metrics: new MetricsRegistry(),
      wake: (deviceId) => this.woken.push(deviceId),
      directoryMax: 10_000,
      changesInterval: NEVER,
      changeWait: 500,
      purgeInterval: NEVER,
      ...options,
    });
    this.registry.devices.onSessionChange((change) => {
      this.heard.push(change);
      this.#changed();
    });
    this.registry.onReset(() => {
      this.resets++;
      this.#changed();
    });
  }

  static async start(
    server: RedisServer,
    keys: Keys,
    processId: string,
    { wakes, ...options }: Partial<RegistryOptions> & { wakes?: WakeSource } = {},
  ): Promise<RegistryProcess> {
    const process = new RegistryProcess(server, keys, processId, wakes, options);
    try {
      await process.registry.start();
    } catch (error) {
      await process.close();
      throw error;
    }
    return process;
  }

  get devices() {
    return this.registry.devices;
  }

  /** Resolves when what was heard fits. */
  async until(fits: () => boolean): Promise<void> {
    while (!fits()) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  async close(): Promise<void> {
    await this.registry.close();
    await this.commands.close();
    await Promise.all(this.#clients.map(closeClient));
  }
}

/** One plain subscription over a connection. */
function subscribed(subscriber: Redis): WakeSource {
  return {
    onWake(channel, listener) {
      void subscriber.subscribe(channel);
      const hear = (from: string, message: string) => {
        if (from === channel) listener(message);
      };
      subscriber.on('message', hear);
      return () => subscriber.off('message', hear);
    },
    onReconnect(listener) {
      // Subscriptions are taken up again before it is ready.
      subscriber.on('ready', listener);
      return () => subscriber.off('ready', listener);
    },
  };
}
