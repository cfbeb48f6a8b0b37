import type { Uuid } from '../devices/model';
import type { HistoryQuery, TelemetryPoint, TelemetryView } from '../state/telemetry-view';

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
}
