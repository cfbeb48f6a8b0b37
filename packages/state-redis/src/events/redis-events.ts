import type { DeviceEvents, EpochMillis, EventsRead, Millis, ObservedKind, Position, Uuid, Wake } from '@tandem/core';
import { type Commands, loadScript } from '../client';
import type { Keys } from '../keys';
import { eventOf, type StreamEntry } from './event-fields';
import type { RedisWakeUps } from './wake-ups';

const HEAD = loadScript('events-head');
const READ = loadScript('events-read');
const SET_CURSOR = loadScript('cursor-set');
const SET_OBSERVER = loadScript('observer-set');

/** Makes the log of a device that the registry has, where a crash came between the two; whether it may be there now. */
export interface Births {
  ensure(deviceId: Uuid): Promise<boolean>;
}

/** The event logs of the devices, one stream each, and what stands beside them in the log hash. */
export class RedisEvents implements DeviceEvents {
  constructor(
    private readonly commands: Commands,
    private readonly keys: Keys,
    private readonly wakeUps: RedisWakeUps,
    private readonly births: Births,
  ) {}

  async head(deviceId: Uuid): Promise<Position> {
    await this.wakeUps.ready(deviceId);
    const [epoch, offset] = await this.commands.run<[string, string]>(HEAD, [this.#log(deviceId)], []);
    return { epoch, offset: Number(offset) };
  }

  async read(deviceId: Uuid, after: Position, limit: number): Promise<EventsRead> {
    await this.wakeUps.ready(deviceId);
    const [kind, epoch, head, entries] = await this.commands.run<[string, string, string, StreamEntry[]]>(
      READ,
      [this.#log(deviceId), this.keys.device(deviceId, 'events')],
      [after.epoch, after.offset, limit],
    );
    const events = entries.map(eventOf);
    if (kind === 'events') return { kind, epoch, events };
    return { kind: 'gap', head: { epoch, offset: Number(head) }, kept: events };
  }

  watch(deviceId: Uuid, listener: (wake: Wake) => void): () => void {
    return this.wakeUps.watch(deviceId, listener);
  }

  async getCursor(deviceId: Uuid, now: EpochMillis): Promise<Position | undefined> {
    const text = await this.#field(deviceId, 'cursor');
    const [epoch = '', offset, expiry] = text?.split(' ') ?? [];
    return Number(expiry) > now ? { epoch, offset: Number(offset) } : undefined;
  }

  async setCursor(deviceId: Uuid, position: Position, now: EpochMillis, ttl: Millis): Promise<void> {
    const { epoch, offset } = position;
    await this.commands.write(SET_CURSOR, [this.#log(deviceId)], [epoch, offset, now, ttl]);
  }

  async setObserver(deviceId: Uuid, kind: ObservedKind, observer: string): Promise<void> {
    if (await this.#setObserver(deviceId, kind, observer)) return;
    if (await this.births.ensure(deviceId)) await this.#setObserver(deviceId, kind, observer);
  }

  getObserver(deviceId: Uuid, kind: ObservedKind): Promise<string | undefined> {
    return this.#field(deviceId, `observer:${kind}`);
  }

  async #setObserver(deviceId: Uuid, kind: ObservedKind, observer: string): Promise<boolean> {
    const set = await this.wakeUps.after(
      deviceId,
      'observer',
      this.commands.write<number>(
        SET_OBSERVER,
        [this.#log(deviceId), this.keys.wakeChannel(deviceId)],
        [kind, observer, this.wakeUps.publish, this.wakeUps.message('observer')],
      ),
      (done) => done === 1,
    );
    return set === 1;
  }

  /** Of the log hash, if that is one of a device and not what a deleted one left. */
  async #field(deviceId: Uuid, field: string): Promise<string | undefined> {
    await this.wakeUps.ready(deviceId);
    const [epoch, value] = await this.commands.during(() =>
      this.commands.client.hmget(this.#log(deviceId), 'epoch', field),
    );
    return epoch ? (value ?? undefined) : undefined;
  }

  #log(deviceId: Uuid): string {
    return this.keys.device(deviceId, 'log');
  }
}
