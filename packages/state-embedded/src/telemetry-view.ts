import { type HistoryQuery, parsePoint, type TelemetryPoint, type TelemetryView, type Uuid } from '@tandem/core';
import type { ViewEnvironment } from './environment';
import { bucketOf, bucketPart, mergeRows, rowRange } from './history-rows';
import { nameBytes, prefixRange, uuidBytes } from './keys';

export class EmbeddedTelemetryView implements TelemetryView {
  constructor(private readonly env: ViewEnvironment) {}

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
      if (text !== undefined) points.set(key, parsePoint(text));
    }
    return points;
  }

  async history(
    deviceId: Uuid,
    key: string,
    { startTs, endTs, limit, order }: HistoryQuery,
  ): Promise<TelemetryPoint[]> {
    const series = seriesPrefix(uuidBytes(deviceId), key);
    if (!series || startTs >= endTs || limit <= 0) return [];
    const found: TelemetryPoint[] = [];
    for (const rows of this.#buckets(series, bucketOf(startTs), bucketOf(endTs), order)) {
      const points = mergeRows(rows, startTs, endTs);
      if (order === 'DESC') points.reverse();
      for (const point of points) if (found.length < limit) found.push(point);
      if (found.length >= limit) break;
    }
    return found;
  }

  /** The rows of one bucket after the other, each bucket's in the order of their steps. */
  *#buckets(series: Buffer, first: number, last: number, order: 'ASC' | 'DESC'): Generator<string[]> {
    const { start, end } = rowRange(series, first, last);
    const range =
      order === 'ASC'
        ? { start, end }
        : { start: end, exclusiveStart: true, end: start, inclusiveEnd: true, reverse: true };
    let bucket: string | undefined;
    let rows: string[] = [];
    for (const { key, value } of this.env.history.getRange(range)) {
      const part = bucketPart(key);
      if (part !== bucket && rows.length > 0) {
        yield order === 'ASC' ? rows : rows.reverse();
        rows = [];
      }
      bucket = part;
      rows.push(value);
    }
    if (rows.length > 0) yield order === 'ASC' ? rows : rows.reverse();
  }
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
