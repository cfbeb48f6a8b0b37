import type { DeviceAuth, SessionEnd } from '../auth/device-auth';
import type { DeviceSession } from '../auth/device-session';
import { LongPoll, type LongPollSource, type OpenPoll, type PollOutcome } from '../devices/long-poll';
import type { Uuid } from '../devices/model';
import { renderObject } from '../payload/value';
import type { Clock, Millis } from '../platform/clock';
import type { Logger } from '../platform/logger';
import type { AttributeStore } from '../state/attribute-store';
import type { DeviceEvents, Position } from '../state/device-events';
import { MissedUpdates } from './missed-updates';

export interface UpdateSettings {
  /** `TANDEM_HTTP_GAP_DELIVERY`: an update between two polls is delivered by the next one. */
  readonly gapDelivery: boolean;
  /** `TB_TRANSPORT_SESSIONS_INACTIVITY_TIMEOUT`: how long after its last poll a device keeps its position. */
  readonly sessionTimeout: Millis;
}

/** An observation of the shared attributes of one device. */
export interface AttributeObservation {
  /** All shared attributes, flat (contract 2.6.1). */
  readonly snapshot: string;
  /** What changed since the snapshot or the last call, merged into one flat object; undefined when nothing did. */
  next(): Promise<string | undefined>;
  close(): void;
}

const OBSERVATION_BATCH = 100;

/** Shared-attribute events on their way to the device: long polls and observations over one event log. */
export class AttributeUpdates {
  readonly #missed: MissedUpdates;
  /** Cursor writes under way: a poll that follows the last one at once must see where that one ended. */
  readonly #cursorWrites = new Map<Uuid, Promise<void>>();

  constructor(
    private readonly ports: { events: DeviceEvents; auth: DeviceAuth; clock: Clock },
    private readonly attributes: AttributeStore,
    private readonly settings: UpdateSettings,
    private readonly logger: Logger,
  ) {
    this.#missed = new MissedUpdates(ports.events, attributes, logger);
  }

  /** Contract 1.5.3. @param done called once, unless the poll is cancelled */
  openPoll(session: DeviceSession, timeout: Millis, done: (outcome: PollOutcome) => void): OpenPoll {
    const { deviceId } = session;
    let position: Position | undefined;
    const source: LongPollSource = {
      deviceId,
      wake: 'attributes',
      take: async () => {
        position ??= await this.#start(deviceId, timeout);
        const missed = await this.#missed.after(deviceId, position, 1);
        if (!missed) return undefined;
        return {
          body: missed.delta.render(),
          settled: (written) => {
            if (written) this.#moveCursor(deviceId, missed.position, 0);
            else if (position) this.#moveCursor(deviceId, position, 0);
          },
        };
      },
      released: () => {
        if (position) this.#moveCursor(deviceId, position, 0);
      },
    };
    return new LongPoll(this.ports, source, timeout, done);
  }

  /**
   * @param onChange called whenever `next` may have something new
   * @param onEnd called when the device's session ends (device deleted, credentials changed)
   */
  async observe(
    deviceId: Uuid,
    onChange: () => void,
    onEnd: (reason: SessionEnd) => void,
  ): Promise<AttributeObservation> {
    const unwatch = this.ports.events.watch(deviceId, (wake) => wake === 'attributes' && onChange());
    const offEnd = this.ports.auth.onSessionEnd(deviceId, onEnd);
    const close = () => {
      unwatch();
      offEnd();
    };
    try {
      const start = await this.attributes.snapshotShared(deviceId);
      let position = start.position;
      const told = new Set(start.attributes.map(({ key }) => key));
      return {
        snapshot: renderObject(start.attributes),
        next: async () => {
          const missed = await this.#missed.after(deviceId, position, OBSERVATION_BATCH, told);
          if (!missed) return undefined;
          position = missed.position;
          missed.delta.applyTo(told);
          return missed.delta.empty ? undefined : missed.delta.render();
        },
        close,
      };
    } catch (error) {
      close();
      throw error;
    }
  }

  /** Where this poll starts to read: the cursor the last poll left, else "now". */
  async #start(deviceId: Uuid, timeout: Millis): Promise<Position> {
    const { events, clock } = this.ports;
    if (!this.settings.gapDelivery) return events.head(deviceId);
    await this.#cursorWrites.get(deviceId);
    const start = (await events.getCursor(deviceId, clock.now())) ?? (await events.head(deviceId));
    // Kept for the time of the poll as well: should this process die meanwhile, the next poll goes on from here.
    this.#moveCursor(deviceId, start, timeout);
    return start;
  }

  #moveCursor(deviceId: Uuid, position: Position, pollTime: Millis): Promise<void> {
    if (!this.settings.gapDelivery) return Promise.resolve();
    const ttl = this.settings.sessionTimeout + Math.max(pollTime, 0);
    const write = this.ports.events
      .setCursor(deviceId, position, this.ports.clock.now(), ttl)
      .catch((error) => this.logger.error('cursor not written', { deviceId, error: String(error) }))
      .then(() => {
        if (this.#cursorWrites.get(deviceId) === write) this.#cursorWrites.delete(deviceId);
      });
    this.#cursorWrites.set(deviceId, write);
    return write;
  }
}
