import type { Uuid } from '../devices/model';
import type { Clock, EpochMillis, Millis } from '../platform/clock';
import type { ActivityStore, ActivityTerms } from '../state/activity-store';

/** How long a session outlives a process that died with it. */
const LEASE: Millis = 180_000;
const RENEWAL: Millis = 60_000;
/** Calls of the store under way at the same time. */
const AT_ONCE = 256;

/** All sessions of one device in this process: to the store they are one. */
interface OwnSession {
  /** How many there are. */
  open: number;
  /** When the first came, and when the last went, most recently. */
  openedAt: EpochMillis;
  closedAt: EpochMillis;
  /** Until when the store takes it for open; 0 = it does not. */
  toldUntil: EpochMillis;
}

/** An asynchronous session of a device. */
export class OpenSession {
  #session: OwnSession | undefined;

  constructor(
    private readonly sessions: OwnSessions,
    session: OwnSession,
  ) {
    this.#session = session;
  }

  /** It is over. A second call does nothing. */
  close(): void {
    const session = this.#session;
    this.#session = undefined;
    if (session) this.sessions.close(session);
  }
}

/**
 * The asynchronous sessions of this process, as leases in the store. Openings and closings are told by the next `tell`: an
 * observation that is replaced within moments is one session. Bounded by the observations the door accepts.
 */
export class OwnSessions {
  readonly #byDevice = new Map<Uuid, OwnSession>();

  constructor(
    private readonly store: ActivityStore,
    private readonly holder: string,
    private readonly clock: Clock,
  ) {}

  /** Devices with a session, or with one whose end has not been told yet. */
  get size(): number {
    return this.#byDevice.size;
  }

  open(deviceId: Uuid): OpenSession {
    const known = this.#byDevice.get(deviceId);
    const session = known ?? { open: 0, openedAt: 0, closedAt: 0, toldUntil: 0 };
    if (session.open === 0) session.openedAt = this.clock.now();
    session.open++;
    if (!known) this.#byDevice.set(deviceId, session);
    return new OpenSession(this, session);
  }

  /** For `OpenSession` only. */
  close(session: OwnSession): void {
    if (session.open > 0) this.#left(session, session.open - 1);
  }

  closeAll(): void {
    for (const session of this.#byDevice.values()) if (session.open > 0) this.#left(session, 0);
  }

  /** Tells the store what has changed and renews what goes on. @throws TandemError STORE_UNAVAILABLE */
  async tell(terms: ActivityTerms): Promise<void> {
    let calls: Promise<void>[] = [];
    for (const [deviceId, session] of this.#byDevice) {
      if (session.open > 0 && session.toldUntil - terms.now > LEASE - RENEWAL) continue;
      calls.push(this.#tell(deviceId, session, terms));
      if (calls.length < AT_ONCE) continue;
      await Promise.all(calls);
      calls = [];
    }
    await Promise.all(calls);
  }

  async #tell(deviceId: Uuid, session: OwnSession, terms: ActivityTerms): Promise<void> {
    if (session.open > 0 || session.toldUntil === 0) {
      const until = terms.now + LEASE;
      await this.store.opened(deviceId, this.holder, session.openedAt, until, terms);
      session.toldUntil = until;
    }
    if (session.open > 0) return;
    await this.store.closed(deviceId, this.holder, session.closedAt, terms);
    session.toldUntil = 0;
    if (session.open === 0) this.#byDevice.delete(deviceId);
  }

  #left(session: OwnSession, open: number): void {
    session.open = open;
    if (open === 0) session.closedAt = this.clock.now();
  }
}
