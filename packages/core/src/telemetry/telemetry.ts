import type { DeviceSession } from '../auth/device-session';
import type { MessageLimits } from '../limits/limits';
import { type PayloadSettings, parseTelemetry } from '../payload/index';
import type { Clock } from '../platform/clock';
import type { Logger } from '../platform/logger';
import type { TelemetryLog, TelemetryRecord } from '../state/telemetry-log';

/** The uplink of time series: parse, append, and only then acknowledge (design section 2). */
export class Telemetry {
  constructor(
    private readonly log: TelemetryLog,
    private readonly settings: PayloadSettings,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly limits: MessageLimits,
  ) {}

  /**
   * Resolves when the store has accepted the message; only then may the transport acknowledge.
   * @param payload JSON as in contract 3.2
   * @throws TandemError BAD_PAYLOAD, TOO_MANY_REQUESTS, BACKLOG_FULL, STORE_UNAVAILABLE
   */
  post(session: DeviceSession, payload: Buffer): Promise<void> {
    const { records, droppedKeys } = parseTelemetry(payload, this.clock.now(), this.settings);
    if (droppedKeys > 0) this.logger.warn('telemetry keys left out', { deviceId: session.deviceId, keys: droppedKeys });
    const limited = this.limits.take(session, 'telemetry', pointsOf(records));
    return limited ? limited.then(() => this.#append(session, records)) : this.#append(session, records);
  }

  #append({ deviceId }: DeviceSession, records: readonly TelemetryRecord[]): Promise<void> {
    return records.length === 0 ? Promise.resolve() : this.log.append({ deviceId, records });
  }
}

const pointsOf = (records: readonly TelemetryRecord[]): number => {
  let points = 0;
  for (const { values } of records) points += values.length;
  return points;
};
