import type { DeviceSession } from '../auth/device-session';
import { type PayloadSettings, parseTelemetry } from '../payload/index';
import type { Clock } from '../platform/clock';
import type { Logger } from '../platform/logger';
import type { TelemetryLog } from '../state/telemetry-log';

/** The uplink of time series: parse, append, and only then acknowledge (design section 2). */
export class Telemetry {
  constructor(
    private readonly log: TelemetryLog,
    private readonly settings: PayloadSettings,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /**
   * Resolves when the store has accepted the message; only then may the transport acknowledge.
   * @param payload JSON as in contract 3.2
   * @throws TandemError BAD_PAYLOAD, BACKLOG_FULL, STORE_UNAVAILABLE
   */
  post(session: DeviceSession, payload: Buffer): Promise<void> {
    const { records, droppedKeys } = parseTelemetry(payload, this.clock.now(), this.settings);
    if (droppedKeys > 0) this.logger.warn('telemetry keys left out', { deviceId: session.deviceId, keys: droppedKeys });
    return records.length === 0 ? Promise.resolve() : this.log.append({ deviceId: session.deviceId, records });
  }
}
