import { type HistoryQuery, type TelemetryPoint, type TelemetryView, trustedValue, type Uuid } from '@tandem/core';
import type { Environment } from './environment';
import { nameBytes, prefixRange, readTimestamp, timestampBytes, uuidBytes } from './keys';

export class EmbeddedTelemetryView implements TelemetryView {
  constructor(private readonly env: Environment) {}

  async keys(deviceId: Uuid): Promise<string[]> {
    const prefix = uuidBytes(deviceId);
    return [...this.env.latest.getKeys(prefixRange(prefix)).map((key) => key.subarray(prefix.length).toString())];
  }

  async latest(deviceId: Uuid, keys?: readonly string[]): Promise<Map<string, TelemetryPoint>> {
    const prefix = uuidBytes(deviceId);
    const points = new Map<string, TelemetryPoint>();
    for (const key of keys ?? (await this.keys(deviceId))) {
      const name = nameBytes(key);
      const text = name && this.env.latest.get(Buffer.concat([prefix, name]));
      if (text !== undefined) points.set(key, parseLatest(text));
    }
    return points;
  }

  async history(deviceId: Uuid, key: string, query: HistoryQuery): Promise<TelemetryPoint[]> {
    const series = seriesPrefix(uuidBytes(deviceId), key);
    if (!series || query.startTs >= query.endTs || query.limit <= 0) return [];
    const from = Buffer.concat([series, timestampBytes(query.startTs)]);
    const to = Buffer.concat([series, timestampBytes(query.endTs)]);
    const range =
      query.order === 'ASC'
        ? { start: from, end: to }
        : { start: to, exclusiveStart: true, end: from, inclusiveEnd: true, reverse: true };
    return [
      ...this.env.history
        .getRange({ ...range, limit: query.limit })
        .map(({ key: at, value }) => ({ ts: readTimestamp(at), value: trustedValue(value) })),
    ];
  }
}

export function parseLatest(text: string): TelemetryPoint {
  const space = text.indexOf(' ');
  return { ts: Number(text.slice(0, space)), value: trustedValue(text.slice(space + 1)) };
}

/** What the history keys of one series begin with. The length goes first, so that no series is a prefix of another. */
export function seriesPrefix(device: Buffer, key: string): Buffer | undefined {
  const name = nameBytes(key);
  if (!name) return undefined;
  const prefix = Buffer.allocUnsafe(device.length + 2 + name.length);
  device.copy(prefix);
  prefix.writeUInt16BE(name.length, device.length);
  name.copy(prefix, device.length + 2);
  return prefix;
}
