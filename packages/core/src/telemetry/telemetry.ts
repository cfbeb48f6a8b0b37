import type { DeviceSession } from '../auth/device-session';
import type { Uuid } from '../devices/model';
import type { MessageLimits } from '../limits/limits';
import type { PayloadFormat } from '../payload/index';
import type { MessageSize } from '../payload/message-size';
import type { Clock, Millis } from '../platform/clock';
import type { Logger } from '../platform/logger';
import type { RecordLines, TelemetryLog } from '../state/telemetry-log';

/** The uplink of time series: parse, append, and only then acknowledge (design section 2). */
export class Telemetry {
  constructor(
    private readonly log: TelemetryLog,
    private readonly json: PayloadFormat,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly limits: MessageLimits,
    private readonly size: MessageSize,
  ) {}

  /**
   * Resolves when the store has accepted the message; only then may the transport acknowledge.
   * @param payload as in contract 3.2
   * @param format JSON where left out
   * @throws TandemError BAD_PAYLOAD, PAYLOAD_TOO_LARGE, TOO_MANY_REQUESTS, BACKLOG_FULL, STORE_UNAVAILABLE
   */
  post(session: DeviceSession, payload: Buffer, format: PayloadFormat = this.json): Promise<void> {
    const { lines, points, droppedKeys } = format.readTelemetry(payload, this.clock.now());
    this.size.check(lines);
    if (droppedKeys > 0) this.logger.warn('telemetry keys left out', { deviceId: session.deviceId, keys: droppedKeys });
    const limited = this.limits.take(session, 'telemetry', points);
    return limited ? this.#appendAfter(limited, session, lines) : this.#append(session, lines);
  }

  /**
   * What the server API posts for a device: through the log, as if the device had sent it.
   * @param keep how long the points stay in the history; undefined where they stay as all others
   * @throws TandemError PAYLOAD_TOO_LARGE, BACKLOG_FULL, STORE_UNAVAILABLE
   */
  async saveFromServer(deviceId: Uuid, lines: RecordLines, keep: Millis | undefined): Promise<void> {
    this.size.check(lines);
    const expiresAt = keep === undefined ? undefined : this.clock.now() + keep;
    await this.log.append({ deviceId, lines, expiresAt });
  }

  /** A method of its own: a closure in `post` would cost every message, also where no limit is set. */
  #appendAfter(limited: Promise<void>, session: DeviceSession, lines: RecordLines): Promise<void> {
    return limited.then(() => this.#append(session, lines));
  }

  #append({ deviceId }: DeviceSession, lines: RecordLines): Promise<void> {
    return lines === '' ? Promise.resolve() : this.log.append({ deviceId, lines });
  }
}
