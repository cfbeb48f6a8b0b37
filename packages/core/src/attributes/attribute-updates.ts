import type { DeviceSession } from '../auth/device-session';
import {
  LongPoll,
  type LongPollPorts,
  type LongPollSource,
  type OpenPoll,
  type PollOutcome,
} from '../devices/long-poll';
import type { Uuid } from '../devices/model';
import { type ObserverListener, type ObserverPorts, Observers } from '../devices/observers';
import { TandemError } from '../errors';
import { type AnswerFormat, JSON_ANSWERS, type WrittenMessage, writeIn } from '../payload/format/index';
import type { Millis } from '../platform/clock';
import type { Logger } from '../platform/logger';
import { quietLogger } from '../platform/quiet-logger';
import type { AttributeStore } from '../state/attribute-store';
import type { Position } from '../state/device-events';
import { AttributeObservation } from './attribute-observation';
import { MissedUpdates } from './missed-updates';

export interface UpdateSettings {
  /** `TANDEM_HTTP_GAP_DELIVERY`: an update between two polls is delivered by the next one. */
  readonly gapDelivery: boolean;
  /** `TB_TRANSPORT_SESSIONS_INACTIVITY_TIMEOUT`: how long after its last poll a device keeps its position. */
  readonly sessionTimeout: Millis;
}

export interface OpenedObservation {
  readonly observation: AttributeObservation;
  /** All shared attributes, flat (contract 2.6.1): the answer to the registration. */
  readonly snapshot: WrittenMessage;
}

/** While the store is away every poll has a line to write. */
const LOG_INTERVAL: Millis = 10_000;

/** Shared-attribute events on their way to the device: long polls and observations over one event log. */
export class AttributeUpdates {
  readonly #missed: MissedUpdates;
  readonly #observers: Observers;
  readonly #quiet: Logger;
  /**
   * Cursor writes under way here: a poll that follows the last one at once must see where that one ended. One at another
   * process may come before the write and then gets the last update once more.
   */
  readonly #cursorWrites = new Map<Uuid, Promise<void>>();

  constructor(
    private readonly ports: LongPollPorts & ObserverPorts,
    private readonly attributes: AttributeStore,
    private readonly settings: UpdateSettings,
    logger: Logger,
  ) {
    this.#missed = new MissedUpdates(ports.events, attributes, logger);
    this.#observers = new Observers('attributes', ports);
    this.#quiet = quietLogger(logger, ports.clock, LOG_INTERVAL);
  }

  /** Contract 1.5.3. @param done called once, unless the poll is cancelled */
  openPoll(
    session: DeviceSession,
    timeout: Millis,
    done: (outcome: PollOutcome) => void,
    answers: AnswerFormat = JSON_ANSWERS,
  ): OpenPoll {
    const { deviceId } = session;
    const { clock, limits } = this.ports;
    const end = clock.now() + timeout;
    let position: Position | undefined;
    let kept: Promise<void> | undefined;
    const source: LongPollSource = {
      session,
      wake: 'attributes',
      take: async () => {
        if (!position) {
          await limits.take(session, 'message');
          position = await this.#start(deviceId);
          // Kept for the time of the poll as well: should this process die meanwhile, the next poll goes on from here.
          kept = this.#moveCursor(deviceId, position, end - clock.now());
        }
        const missed = await this.#missed.after(deviceId, position, 1);
        if (!missed) return undefined;
        if (missed.delta.empty) {
          position = missed.position;
          this.#moveCursor(deviceId, position, end - clock.now());
          return undefined;
        }
        let message: WrittenMessage;
        try {
          message = await writeIn(answers, missed.delta.message);
        } catch (error) {
          // What the format of this poll fails to say would be the failure of every next one, and so is left out.
          if (TandemError.from(error).code === 'INTERNAL') position = missed.position;
          throw error;
        }
        return {
          message,
          traces: missed.traces,
          settled: (written) => {
            if (written) this.#moveCursor(deviceId, missed.position, 0);
            else if (position) this.#moveCursor(deviceId, position, 0);
          },
        };
      },
      // One that expires without a place in the store would lose what comes before the next one.
      secured: () => kept,
      released: () => {
        if (position) this.#moveCursor(deviceId, position, 0);
      },
    };
    return new LongPoll(this.ports, source, timeout, done);
  }

  /**
   * The observations of the device in other processes end, and with `begin` the one of this process.
   * @param listener told whenever `next` may have something new; told of the end when the device's session ends (device
   * deleted, credentials changed) or another observation of it has taken the place of this one, perhaps before the promise
   * resolves
   * @throws TandemError TOO_MANY_REQUESTS; UNAUTHORIZED where the session ended meanwhile; STORE_UNAVAILABLE
   */
  async observe(
    session: DeviceSession,
    listener: ObserverListener,
    answers: AnswerFormat = JSON_ANSWERS,
  ): Promise<OpenedObservation> {
    const [observer, { start, snapshot }] = await this.#observers.register(session, listener, async () => {
      const start = await this.attributes.snapshotShared(session.deviceId);
      return { start, snapshot: await writeIn(answers, { kind: 'update', updated: start.attributes, deleted: [] }) };
    });
    return { observation: new AttributeObservation(observer, this.#missed, answers, start), snapshot };
  }

  /**
   * Where this poll starts to read: the cursor the last poll left, else "now", which is when the store says where the log
   * ends: after the request came, and before its answer.
   */
  async #start(deviceId: Uuid): Promise<Position> {
    const { events, clock } = this.ports;
    if (!this.settings.gapDelivery) return events.head(deviceId);
    await this.#cursorWrites.get(deviceId);
    return (await events.getCursor(deviceId, clock.now())) ?? (await events.head(deviceId));
  }

  /** @returns how the write ends; who does not wait for it need not catch it, since a failure is logged here */
  #moveCursor(deviceId: Uuid, position: Position, pollTime: Millis): Promise<void> {
    if (!this.settings.gapDelivery) return Promise.resolve();
    const ttl = this.settings.sessionTimeout + Math.max(pollTime, 0);
    const write = this.ports.events.setCursor(deviceId, position, this.ports.clock.now(), ttl);
    const settled = write
      .catch((error) => this.#quiet.error('cursor not written', { deviceId, error: String(error) }))
      .then(() => {
        if (this.#cursorWrites.get(deviceId) === settled) this.#cursorWrites.delete(deviceId);
      });
    this.#cursorWrites.set(deviceId, settled);
    return write;
  }
}
