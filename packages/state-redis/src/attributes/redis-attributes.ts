import type {
  Attribute,
  AttributeScope,
  AttributeSnapshot,
  AttributeStore,
  EpochMillis,
  KeyValue,
  Uuid,
  Value,
} from '@tandem/core';
import { trustedValue } from '@tandem/core';
import { type Commands, loadScript } from '../client';
import { renderEntries } from '../events/event-fields';
import { SCOPE_LETTER } from '../events/feed-text';
import type { Births } from '../events/redis-events';
import type { RedisWakeUps } from '../events/wake-ups';
import type { Keys } from '../keys';

const SAVE = loadScript('attributes-save');
const SAVE_SHARED = loadScript('attributes-save-shared');
const SAVE_ABSENT = loadScript('attributes-save-absent');
const DELETE = loadScript('attributes-delete');
const DELETE_SHARED = loadScript('attributes-delete-shared');
const SNAPSHOT = loadScript('attributes-snapshot');

/** Devices of one round trip. */
const PIECE = 500;

export interface AttributeOptions {
  /** Names this process. */
  readonly processId: string;
  /** Events kept for each device. */
  readonly eventLogMax: number;
}

/** A hash for each scope of a device: key -> `<time stamp> <value text>`. */
export class RedisAttributes implements AttributeStore {
  #calls = 0;

  constructor(
    private readonly commands: Commands,
    private readonly keys: Keys,
    private readonly wakeUps: RedisWakeUps,
    private readonly births: Births,
    private readonly options: AttributeOptions,
  ) {}

  async read(deviceId: Uuid, scope: AttributeScope, keys?: readonly string[]): Promise<Attribute[]> {
    const hash = this.#hash(deviceId, scope);
    await this.wakeUps.ready(deviceId);
    if (!keys) {
      const all = await this.commands.during(() => this.commands.client.hgetall(hash));
      return Object.entries(all).map(([key, text]) => attribute(key, text));
    }
    const names = [...new Set(keys)];
    if (names.length === 0) return [];
    const texts = (await this.commands.during(() => this.commands.client.call('hmget', [hash, ...names]))) as (
      | string
      | null
    )[];
    return names.flatMap((key, i) => {
      const text = texts[i];
      return typeof text === 'string' ? [attribute(key, text)] : [];
    });
  }

  async readEach(deviceIds: readonly Uuid[], scope: AttributeScope, key: string): Promise<ReadonlyMap<Uuid, Value>> {
    const values = new Map<Uuid, Value>();
    for (let from = 0; from < deviceIds.length; from += PIECE) {
      const piece = deviceIds.slice(from, from + PIECE);
      const hashes = piece.map((deviceId) => this.#hash(deviceId, scope));
      // In one turn of the event loop, so that they go out together.
      const texts = await this.commands.during(() =>
        Promise.all(hashes.map((hash) => this.commands.client.hget(hash, key))),
      );
      for (const [n, text] of texts.entries())
        if (text !== null) values.set(piece[n] ?? '', attribute(key, text).value);
    }
    return values;
  }

  async snapshotShared(deviceId: Uuid): Promise<AttributeSnapshot> {
    await this.wakeUps.ready(deviceId);
    const [epoch, offset, fields] = await this.commands.run<[string, string, string[]]>(
      SNAPSHOT,
      [this.#log(deviceId), this.#hash(deviceId, 'SHARED')],
      [],
    );
    const attributes: Attribute[] = [];
    for (let i = 0; i < fields.length; i += 2) attributes.push(attribute(fields[i] ?? '', fields[i + 1] ?? ''));
    return { position: { epoch, offset: Number(offset) }, attributes };
  }

  async save(
    deviceId: Uuid,
    scope: AttributeScope,
    entries: readonly KeyValue[],
    ts: EpochMillis,
    trace?: string,
  ): Promise<boolean> {
    const fields = entries.flatMap(({ key, value }) => [key, `${ts} ${value}`]);
    const save = () =>
      scope === 'SHARED' && entries.length > 0
        ? this.#saveShared(deviceId, entries, fields, ts, trace)
        : this.commands.write<number>(SAVE, this.#plainKeys(deviceId, scope), [...this.#plain(scope), ...fields]);
    if ((await save()) === 1) return true;
    return (await this.births.ensure(deviceId)) && (await save()) === 1;
  }

  async saveServerIfAbsent(deviceId: Uuid, { key, value }: KeyValue, ts: EpochMillis): Promise<boolean> {
    const keys = this.#plainKeys(deviceId, 'SERVER');
    const args = [this.#nextCall(), ...this.#plain('SERVER'), key, `${ts} ${value}`];
    const save = () => this.commands.write<number>(SAVE_ABSENT, keys, args);
    const reply = await save();
    if (reply !== 0) return reply === 1;
    return (await this.births.ensure(deviceId)) && (await save()) === 1;
  }

  async delete(
    deviceId: Uuid,
    scope: AttributeScope,
    keys: readonly string[],
    ts: EpochMillis,
    trace?: string,
  ): Promise<readonly string[]> {
    const names = [...new Set(keys)].flatMap((key) => [key, JSON.stringify(key)]);
    if (names.length === 0) return [];
    const deleted =
      scope === 'SHARED'
        ? this.#deleteShared(deviceId, names, ts, trace)
        : this.commands.write<string>(DELETE, this.#plainKeys(deviceId, scope).slice(1), [
            ...this.#plain(scope),
            ts,
            ...names,
          ]);
    return JSON.parse(await deleted) as string[];
  }

  #saveShared(
    deviceId: Uuid,
    entries: readonly KeyValue[],
    fields: readonly string[],
    ts: EpochMillis,
    trace: string | undefined,
  ): Promise<number> {
    const write = this.commands.write<number>(SAVE_SHARED, this.#sharedKeys(deviceId), [
      ...this.#change(ts, trace),
      renderEntries(entries),
      ...fields,
    ]);
    return this.wakeUps.after(deviceId, 'attributes', write, (saved) => saved === 1);
  }

  #deleteShared(deviceId: Uuid, names: readonly string[], ts: EpochMillis, trace: string | undefined): Promise<string> {
    const write = this.commands.write<string>(DELETE_SHARED, this.#sharedKeys(deviceId), [
      ...this.#change(ts, trace),
      ...names,
    ]);
    return this.wakeUps.after(deviceId, 'attributes', write, (deleted) => deleted !== '[]');
  }

  /** The arguments that begin every change of shared attributes. */
  #change(ts: EpochMillis, trace = ''): (string | number)[] {
    const { publish } = this.wakeUps;
    return [this.#nextCall(), publish, this.wakeUps.message('attributes'), this.options.eventLogMax, ts, trace];
  }

  /** A name that no other call has. */
  #nextCall(): string {
    this.#calls++;
    return `${this.options.processId}.${this.#calls.toString(36)}`;
  }

  #sharedKeys(deviceId: Uuid): string[] {
    return [
      this.#log(deviceId),
      this.#hash(deviceId, 'SHARED'),
      this.keys.device(deviceId, 'events'),
      this.keys.wakeChannel(deviceId),
      this.keys.feedChannel(deviceId),
    ];
  }

  /** The keys of a change of attributes that nobody waits for. */
  #plainKeys(deviceId: Uuid, scope: AttributeScope): string[] {
    return [this.#log(deviceId), this.#hash(deviceId, scope), this.keys.feedChannel(deviceId)];
  }

  /** The arguments that begin it. */
  #plain(scope: AttributeScope): string[] {
    return [this.wakeUps.publish, SCOPE_LETTER[scope]];
  }

  #log(deviceId: Uuid): string {
    return this.keys.device(deviceId, 'log');
  }

  #hash(deviceId: Uuid, scope: AttributeScope): string {
    return this.keys.device(deviceId, `attr:${SCOPE_LETTER[scope]}`);
  }
}

function attribute(key: string, text: string): Attribute {
  const space = text.indexOf(' ');
  return { key, lastUpdateTs: Number(text.slice(0, space)), value: trustedValue(text.slice(space + 1)) };
}
