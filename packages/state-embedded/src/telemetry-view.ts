import {
  type Deletion,
  type HistoryQuery,
  parsePoint,
  type TelemetryPoint,
  type TelemetryView,
  type Uuid,
} from '@tandem/core';
import type { ViewEnvironment } from './environment';
import { nameBytes, prefixRange, uuidBytes } from './keys';
import { readHistory, seriesPrefix } from './series-history';

/** Points after whose reading others get their turn: lmdb reads without ever waiting. */
const MANY = 500;

/** The one writer of the view. */
export interface ViewWriter {
  delete(deviceId: Uuid, key: string, deletion: Deletion): Promise<void>;
}

export class EmbeddedTelemetryView implements TelemetryView {
  constructor(
    private readonly env: ViewEnvironment,
    private readonly writer: ViewWriter,
  ) {}

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

  async history(deviceId: Uuid, key: string, query: HistoryQuery): Promise<TelemetryPoint[]> {
    const series = seriesPrefix(uuidBytes(deviceId), key);
    const points = series ? readHistory(this.env, series, query) : [];
    if (points.length >= MANY) await new Promise(setImmediate);
    return points;
  }

  delete(deviceId: Uuid, key: string, deletion: Deletion): Promise<void> {
    return this.writer.delete(deviceId, key, deletion);
  }
}
