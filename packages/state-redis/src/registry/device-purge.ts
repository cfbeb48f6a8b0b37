import {
  type Clock,
  type Logger,
  type MetricsRegistry,
  type Millis,
  TandemError,
  type Timer,
  type Uuid,
} from '@tandem/core';
import { type Commands, loadScript } from '../client';
import type { Keys } from '../keys';
import { rpcKeys } from '../rpc/rpc-keys';
import { expiringKey, historyKey, latestKey, latestMetaKey, unlistedKey } from '../telemetry/telemetry-view';
import { Commit } from './commit';
import { at, type RegistryReader } from './reader';
import type { RegistryWriter } from './writer';

const END = loadScript('end-device');
const CLEAR = loadScript('clear-device');
const WAKE = loadScript('wake-device');

/** How long a straggler is kept from beginning the log again. */
const TOMBSTONE: Millis = 3_600_000;
/** Keys of one step, so that Redis answers others in between. */
const PIECE = 500;
/** How often it is looked whether a process died over a purge. */
const INTERVAL: Millis = 60_000;

export interface PurgeOptions {
  readonly processId: string;
  readonly publish: 'PUBLISH' | 'SPUBLISH';
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
  /** Wakes with `rpc` who watches the device in this process. */
  readonly wake: (deviceId: Uuid) => void;
  readonly interval?: Millis;
}

/** The log is one of another life of the device: there is nothing left of the one that was to be cleared away. */
class OtherLife extends Error {}

/**
 * Clears the slots of deleted devices. The deletion itself notes the device in `purges`; the note goes only when nothing is
 * left, so that what a process left that died is taken up by any other. Two of them at one device do no harm.
 */
export class DevicePurge {
  readonly #running = new Map<string, Promise<void>>();
  #found = 0;
  #resuming: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;
  #closed = false;

  constructor(
    private readonly commands: Commands,
    private readonly keys: Keys,
    private readonly reader: RegistryReader,
    private readonly writer: RegistryWriter,
    private readonly options: PurgeOptions,
  ) {
    options.metrics.gauge('tandem_devices_to_clear', () => this.#found);
  }

  /** Takes up what was left, now and again and again. */
  start(): void {
    this.#resuming = this.#resumeAndSchedule();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#resuming;
  }

  /**
   * Resolves when nothing of the device is left and its waiters were woken.
   * @param epoch of the log that ends
   */
  run(deviceId: Uuid, epoch: string): Promise<void> {
    const name = `${deviceId} ${epoch}`;
    const running = this.#running.get(name) ?? this.#run(deviceId, epoch).finally(() => this.#running.delete(name));
    this.#running.set(name, running);
    return running;
  }

  /** Clears away what is left of a former life of the device, if anything is. */
  async finish(deviceId: Uuid): Promise<void> {
    const [epoch] = await this.reader.read(['purges', at(deviceId)]);
    if (epoch !== undefined) await this.run(deviceId, epoch);
  }

  /** Takes up what was left. Never rejects: what cannot be cleared away now stays noted. */
  async resume(): Promise<void> {
    try {
      const left = await this.reader.all('purges');
      this.#found = left.size;
      for (const [deviceId, epoch] of left) if (await this.#resumed(deviceId, epoch)) this.#found--;
    } catch (error) {
      this.#complain('deleted devices cannot be looked for', error);
    }
  }

  /** One that fails must not keep the others. */
  async #resumed(deviceId: Uuid, epoch: string): Promise<boolean> {
    if (this.#closed) return false;
    try {
      await this.run(deviceId, epoch);
      return true;
    } catch (error) {
      this.#complain('a deleted device could not be cleared away yet', error, { deviceId });
      return false;
    }
  }

  #complain(message: string, error: unknown, about: { deviceId?: Uuid } = {}): void {
    this.options.logger.warn(message, { ...about, error: TandemError.from(error).message });
  }

  async #resumeAndSchedule(): Promise<void> {
    await this.resume();
    if (this.#closed) return;
    this.#timer = this.options.clock.setTimer(this.options.interval ?? INTERVAL, () => this.start());
  }

  async #run(deviceId: Uuid, epoch: string): Promise<void> {
    try {
      await this.#clear(deviceId, epoch);
    } catch (error) {
      if (!(error instanceof OtherLife)) throw error;
    }
    await this.writer.commit(new Commit().unchanged('purges', deviceId, epoch).remove('purges', deviceId));
  }

  async #clear(deviceId: Uuid, epoch: string): Promise<void> {
    try {
      await this.#clearRpcs(deviceId, epoch);
      await this.commands.write(
        WAKE,
        [this.keys.wakeChannel(deviceId)],
        [this.options.publish, `${this.options.processId} rpc`],
      );
    } finally {
      // Also when it failed: whoever waits looks again, and meets the same fault.
      this.options.wake(deviceId);
    }
    const key = (what: string) => this.keys.device(deviceId, what);
    await this.#remove(deviceId, epoch, 'hash', [key('attr:c'), key('attr:s'), key('attr:v'), key('activity')]);
    await this.#remove(deviceId, epoch, 'stream', [key('events')]);
    await this.#clearTelemetry(deviceId, epoch);
  }

  /** From the first step on the device is absent to every script that writes for it. */
  async #clearRpcs(deviceId: Uuid, epoch: string): Promise<void> {
    const rpcs = rpcKeys(this.keys, deviceId);
    for (let first = 0; ; first += PIECE) {
      const ids = await this.commands.write<string[] | null>(
        END,
        [rpcs.log, rpcs.all],
        [epoch, TOMBSTONE, first, first + PIECE - 1],
      );
      if (ids === null) throw new OtherLife();
      if (ids.length > 0) await this.#unregister(ids);
      await this.#remove(deviceId, epoch, 'hash', ids.map(rpcs.hash));
      if (ids.length < PIECE) break;
    }
    await this.#remove(deviceId, epoch, 'zset', [rpcs.all, rpcs.open, rpcs.pending, rpcs.kept, rpcs.finished]);
  }

  async #unregister(ids: string[]): Promise<void> {
    const { client } = this.commands;
    await this.commands.during(() =>
      Promise.all([
        client.hdel(this.keys.rpcs('devices'), ...ids),
        ...['expiry', 'finished'].map((list) => client.zrem(this.keys.rpcs(list), ...ids)),
      ]),
    );
  }

  /** The latest values, and the list of keys without one, name the series: they go last. */
  async #clearTelemetry(deviceId: Uuid, epoch: string): Promise<void> {
    const latest = latestKey(this.keys, deviceId);
    const unlisted = unlistedKey(this.keys, deviceId);
    const clear = async (names: readonly string[]) => {
      const series = names.map((name) => historyKey(this.keys, deviceId, name));
      await this.#remove(deviceId, epoch, 'zset', series);
    };
    let cursor = '0';
    do {
      const [next, fields] = await this.commands.during(() =>
        this.commands.client.hscan(latest, cursor, 'COUNT', PIECE),
      );
      await clear(fields.filter((_, i) => i % 2 === 0));
      cursor = next;
    } while (cursor !== '0');
    do {
      const [next, names] = await this.commands.during(() =>
        this.commands.client.sscan(unlisted, cursor, 'COUNT', PIECE),
      );
      await clear(names);
      cursor = next;
    } while (cursor !== '0');
    await this.#remove(deviceId, epoch, 'zset', [expiringKey(this.keys, deviceId)]);
    await this.#remove(deviceId, epoch, 'set', [unlisted]);
    await this.#remove(deviceId, epoch, 'hash', [latest, latestMetaKey(this.keys, deviceId)]);
  }

  async #remove(
    deviceId: Uuid,
    epoch: string,
    type: 'hash' | 'zset' | 'set' | 'stream',
    names: string[],
  ): Promise<void> {
    for (let from = 0; from < names.length; from += PIECE) {
      const piece = names.slice(from, from + PIECE);
      const foreign = await this.commands.write<number | null>(
        CLEAR,
        [this.keys.device(deviceId, 'log'), ...piece],
        [epoch, ...piece.map(() => type)],
      );
      if (foreign === null) throw new OtherLife();
      if (foreign > 0) {
        this.options.logger.warn('keys of another program are in the place of a deleted device; they were left alone', {
          deviceId,
          keys: foreign,
        });
      }
    }
  }
}
