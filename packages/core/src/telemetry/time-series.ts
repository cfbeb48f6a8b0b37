import type { Uuid } from '../devices/model';
import type { HistoryQuery, TelemetryPoint, TelemetryView } from '../state/telemetry-view';

/** Points read in one go by {@link TimeSeries.historyPieces}. */
const PIECE = 5_000;

/** Reading what devices have sent, for the server API. */
export class TimeSeries {
  constructor(private readonly view: TelemetryView) {}

  keys(deviceId: Uuid): Promise<string[]> {
    return this.view.keys(deviceId);
  }

  latest(deviceId: Uuid, keys?: readonly string[]): Promise<Map<string, TelemetryPoint>> {
    return this.view.latest(deviceId, keys);
  }

  /** Keys in the order asked for; those without a point in the range are left out (server contract 5.1). */
  async history(deviceId: Uuid, keys: readonly string[], query: HistoryQuery): Promise<Map<string, TelemetryPoint[]>> {
    const result = new Map<string, TelemetryPoint[]>();
    for (const key of keys) {
      const points = await this.view.history(deviceId, key, query);
      if (points.length > 0) result.set(key, points);
    }
    return result;
  }

  /** One key's history piece by piece, in the order asked for: a range can be longer than what fits the memory. */
  async *historyPieces(deviceId: Uuid, key: string, query: HistoryQuery): AsyncGenerator<readonly TelemetryPoint[]> {
    let { startTs, endTs, limit } = query;
    while (limit > 0 && startTs < endTs) {
      const asked = Math.min(limit, PIECE);
      const points = await this.view.history(deviceId, key, { startTs, endTs, limit: asked, order: query.order });
      const last = points.at(-1);
      if (!last) return;
      yield points;
      if (points.length < asked) return;
      limit -= points.length;
      if (query.order === 'ASC') startTs = last.ts + 1;
      else endTs = last.ts;
    }
  }
}
