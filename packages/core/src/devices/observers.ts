import type { DeviceAuth, SessionEnd, SessionWaiter } from '../auth/device-auth';
import { type DeviceSession, speaksCoap } from '../auth/device-session';
import { TandemError } from '../errors';
import type { MessageLimits } from '../limits/limits';
import type { Random } from '../platform/random';
import type { DeviceEvents, ObservedKind, Wake } from '../state/device-events';
import type { ProfileInfo, Uuid } from './model';

/** Why an observation is over from the server's side. */
export type ObserverEnd =
  | SessionEnd
  /** Another observation of the same device has taken its place. */
  | 'superseded'
  /** The profile of the device does not allow CoAP any more. */
  | 'transport';

/** Who is told what becomes of an observation. */
export interface ObserverListener {
  /** Called after a change of what is observed. */
  news(): void;
  /** Called once, unless the observation is closed before. */
  end(reason: ObserverEnd): void;
}

export interface ObserverPorts {
  readonly events: DeviceEvents;
  readonly auth: DeviceAuth;
  readonly limits: MessageLimits;
  readonly random: Random;
}

/**
 * At most one observation of a kind for each device, over all processes: the newest (contract 2.6.1, TV-297). The store
 * knows the newest by name. Of two in this process the later one to begin ends the other by itself: only it knows whether
 * its registration came to anything.
 */
export class Observers {
  /** The one of this process that has begun, by device. */
  readonly #current = new Map<Uuid, Observer>();
  readonly #process: string;
  #made = 0;

  constructor(
    readonly kind: ObservedKind,
    readonly ports: ObserverPorts,
  ) {
    this.#process = `${ports.random.uuid()}:`;
  }

  /**
   * The observations of the device in other processes end, and with `begin` the one of this process. A registration counts
   * as a message of the device.
   * @param listener told of the end perhaps before the promise resolves
   * @param first what the registration is answered from
   * @throws TandemError TOO_MANY_REQUESTS; UNAUTHORIZED where the session ended meanwhile; STORE_UNAVAILABLE
   */
  async register<T>(
    session: DeviceSession,
    listener: ObserverListener,
    first: () => Promise<T>,
  ): Promise<readonly [observer: Observer, first: T]> {
    // Before anything is waited for: a session that ends meanwhile is heard of.
    const observer = new Observer(this, session, `${this.#process}${++this.#made}`, listener);
    try {
      const limited = this.ports.limits.take(session, 'message');
      if (limited) await limited;
      if (observer.over) throw new TandemError('UNAUTHORIZED');
      const [answer] = await Promise.all([first(), observer.announce()]);
      return [observer, answer];
    } catch (error) {
      observer.close();
      throw error;
    }
  }

  isOfThisProcess(name: string): boolean {
    return name.startsWith(this.#process);
  }

  /** @returns the one whose place it takes */
  enter(observer: Observer): Observer | undefined {
    const older = this.#current.get(observer.deviceId);
    this.#current.set(observer.deviceId, observer);
    return older === observer ? undefined : older;
  }

  leave(observer: Observer): void {
    if (this.#current.get(observer.deviceId) === observer) this.#current.delete(observer.deviceId);
  }
}

/** One observation, as the others know it: opened -> announced -> begun -> over or closed. */
export class Observer implements SessionWaiter {
  /** What the session says of it may be of before. */
  profileId: Uuid;
  readonly #unwatch: () => void;
  #announced = false;
  #over = false;
  #reading = false;
  #wokenWhileReading = false;

  constructor(
    private readonly observers: Observers,
    readonly session: DeviceSession,
    private readonly name: string,
    private readonly listener: ObserverListener,
  ) {
    const { events, auth } = observers.ports;
    this.profileId = session.profileId;
    this.#unwatch = events.watch(this.deviceId, (wake) => this.#heard(wake));
    auth.watch(this);
  }

  get deviceId(): Uuid {
    return this.session.deviceId;
  }

  /** Nothing more is to be told to the device. */
  get over(): boolean {
    return this.#over;
  }

  /** From now on the observations of other processes end. @throws TandemError STORE_UNAVAILABLE */
  async announce(): Promise<void> {
    const { kind, ports } = this.observers;
    await ports.events.setObserver(this.deviceId, kind, this.name);
    // What was heard before may have been of older names than this one; a newer one shows now, or wakes.
    this.#announced = true;
    await this.#look();
  }

  /** The registration has been answered: the older one of this process ends. */
  begin(): void {
    const older = this.#over ? undefined : this.observers.enter(this);
    if (older) older.#end('superseded');
  }

  /** For `DeviceAuth` only. */
  sessionEnded(reason: SessionEnd): void {
    this.#end(reason);
  }

  /** For `DeviceAuth` only. */
  profileIs(profile: ProfileInfo): void {
    this.profileId = profile.id;
    if (!speaksCoap(profile)) this.#end('transport');
  }

  close(): void {
    this.#over = true;
    this.#unwatch();
    this.observers.ports.auth.unwatch(this);
    this.observers.leave(this);
  }

  #heard(wake: Wake): void {
    if (wake === this.observers.kind) this.listener.news();
    // Where it cannot be read the store is away: it wakes again when it is back.
    else if (wake === 'observer' && this.#announced) this.#look().catch(() => {});
  }

  async #look(): Promise<void> {
    if (this.#reading) {
      this.#wokenWhileReading = true;
      return;
    }
    this.#reading = true;
    try {
      do {
        this.#wokenWhileReading = false;
        const newest = await this.observers.ports.events.getObserver(this.deviceId, this.observers.kind);
        if (newest !== undefined && !this.observers.isOfThisProcess(newest)) this.#end('superseded');
      } while (this.#wokenWhileReading && !this.#over);
    } finally {
      this.#reading = false;
    }
  }

  #end(reason: ObserverEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.listener.end(reason);
  }
}
