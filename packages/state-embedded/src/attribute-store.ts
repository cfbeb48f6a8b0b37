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
import { TandemError, trustedValue } from '@tandem/core';
import type { EmbeddedFeed, Note } from './device-feed';
import type { Environment } from './environment';
import type { EmbeddedEvents } from './event-log';
import { nameBytes, prefixRange, uuidBytes } from './keys';
import type { WakeUps } from './wake-ups';

const SCOPE_BYTE: Record<AttributeScope, Buffer> = {
  CLIENT: Buffer.from('c'),
  SHARED: Buffer.from('s'),
  SERVER: Buffer.from('v'),
};

export class EmbeddedAttributes implements AttributeStore {
  constructor(
    private readonly env: Environment,
    private readonly feed: EmbeddedFeed,
    private readonly events: EmbeddedEvents,
    private readonly wakeUps: WakeUps,
  ) {}

  async read(deviceId: Uuid, scope: AttributeScope, keys?: readonly string[]): Promise<Attribute[]> {
    return this.#read(deviceId, scope, keys);
  }

  async readEach(deviceIds: readonly Uuid[], scope: AttributeScope, key: string): Promise<ReadonlyMap<Uuid, Value>> {
    const values = new Map<Uuid, Value>();
    for (const deviceId of deviceIds) {
      const [attribute] = this.#read(deviceId, scope, [key]);
      if (attribute) values.set(deviceId, attribute.value);
    }
    return values;
  }

  async snapshotShared(deviceId: Uuid): Promise<AttributeSnapshot> {
    // Both are of one snapshot: lmdb's read transaction lasts for a turn of the event loop.
    const position = this.events.position(deviceId);
    return { position, attributes: this.#read(deviceId, 'SHARED') };
  }

  async save(
    deviceId: Uuid,
    scope: AttributeScope,
    entries: readonly KeyValue[],
    ts: EpochMillis,
    trace?: string,
  ): Promise<boolean> {
    const saved = await this.feed.write((note) => {
      if (!this.env.devices.doesExist(deviceId)) return false;
      const prefix = attributePrefix(deviceId, scope);
      const rows = entries.map(({ key, value }) => ({ name: storableName(key), value }));
      for (const { name, value } of rows) this.env.attributes.put(Buffer.concat([prefix, name]), `${ts} ${value}`);
      if (entries.length === 0) return true;
      if (scope === 'SHARED') this.events.append(deviceId, { ts, updated: entries, deleted: [], trace });
      note(deviceId, { kind: 'saved', scope, entries, ts });
      return true;
    });
    if (saved && scope === 'SHARED' && entries.length > 0) this.wakeUps.wake(deviceId, 'attributes');
    return saved;
  }

  saveServerIfAbsent(deviceId: Uuid, entry: KeyValue, ts: EpochMillis): Promise<boolean> {
    return this.feed.write((note) => {
      if (!this.env.devices.doesExist(deviceId)) return false;
      const row = Buffer.concat([attributePrefix(deviceId, 'SERVER'), storableName(entry.key)]);
      if (this.env.attributes.doesExist(row)) return false;
      this.env.attributes.put(row, `${ts} ${entry.value}`);
      note(deviceId, { kind: 'saved', scope: 'SERVER', entries: [entry], ts });
      return true;
    });
  }

  async delete(
    deviceId: Uuid,
    scope: AttributeScope,
    keys: readonly string[],
    ts: EpochMillis,
    trace?: string,
  ): Promise<readonly string[]> {
    const deleted = await this.feed.write((note) => {
      const prefix = attributePrefix(deviceId, scope);
      const existing = [...new Set(keys)].filter((key) => {
        const name = nameBytes(key);
        return name !== undefined && this.env.attributes.doesExist(Buffer.concat([prefix, name]));
      });
      for (const key of existing) this.env.attributes.remove(Buffer.concat([prefix, Buffer.from(key)]));
      if (existing.length === 0) return existing;
      if (scope === 'SHARED') this.events.append(deviceId, { ts, updated: [], deleted: existing, trace });
      note(deviceId, { kind: 'deleted', scope, keys: existing, ts });
      return existing;
    });
    if (scope === 'SHARED' && deleted.length > 0) this.wakeUps.wake(deviceId, 'attributes');
    return deleted;
  }

  /** One value of the SERVER scope. */
  serverValue(deviceId: Uuid, key: string): string | undefined {
    const text = this.env.attributes.get(Buffer.concat([attributePrefix(deviceId, 'SERVER'), Buffer.from(key)]));
    return text?.slice(text.indexOf(' ') + 1);
  }

  /** Within a transaction, for a device that is there. */
  putServer(deviceId: Uuid, entries: readonly KeyValue[], ts: EpochMillis, note: Note): void {
    if (entries.length === 0) return;
    const prefix = attributePrefix(deviceId, 'SERVER');
    for (const { key, value } of entries) {
      this.env.attributes.put(Buffer.concat([prefix, Buffer.from(key)]), `${ts} ${value}`);
    }
    note(deviceId, { kind: 'saved', scope: 'SERVER', entries, ts });
  }

  #read(deviceId: Uuid, scope: AttributeScope, keys?: readonly string[]): Attribute[] {
    const prefix = attributePrefix(deviceId, scope);
    if (!keys) {
      return [
        ...this.env.attributes
          .getRange(prefixRange(prefix))
          .map(({ key, value }) => attribute(key.subarray(prefix.length).toString(), value)),
      ];
    }
    const found: Attribute[] = [];
    for (const key of new Set(keys)) {
      const name = nameBytes(key);
      const text = name && this.env.attributes.get(Buffer.concat([prefix, name]));
      if (text !== undefined) found.push(attribute(key, text));
    }
    return found;
  }
}

const attributePrefix = (deviceId: Uuid, scope: AttributeScope) =>
  Buffer.concat([uuidBytes(deviceId), SCOPE_BYTE[scope]]);

/** @throws TandemError BAD_REQUEST */
function storableName(key: string): Buffer {
  const name = nameBytes(key);
  if (!name) throw new TandemError('BAD_REQUEST', { message: 'The attribute key is too long' });
  return name;
}

function attribute(key: string, text: string): Attribute {
  const space = text.indexOf(' ');
  return { key, lastUpdateTs: Number(text.slice(0, space)), value: trustedValue(text.slice(space + 1)) };
}
