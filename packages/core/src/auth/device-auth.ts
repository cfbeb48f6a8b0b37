import type { DeviceCredentials, ProfileInfo, Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { Clock } from '../platform/clock';
import type { MetricsRegistry } from '../platform/metrics';
import { MultiMap } from '../platform/multi-map';
import type { DeviceStore, SessionChange } from '../state/device-store';
import { type DeviceSession, sessionOf, speaksCoap } from './device-session';
import { SessionReview } from './session-review';

export type SessionEnd = 'deleted' | 'credentials';

/** Someone who waits on a session. */
export interface SessionWaiter {
  readonly session: DeviceSession;
  sessionEnded(reason: SessionEnd): void;
  /** Of one that waits on behalf of CoAP, which a profile can rule out: the profile the device is known to have. */
  readonly profileId?: Uuid;
  /** The device has this profile now, or this is what its profile has become. */
  profileIs?(profile: ProfileInfo): void;
}

/** What the store says of the device of a session. */
interface Stored {
  /** Undefined: the device is gone. */
  readonly credentials: DeviceCredentials | undefined;
  /** Undefined where nobody who waits wants to know. */
  readonly profile: ProfileInfo | undefined;
}

/** Changes of other devices count as well: under many of them a read has to come to an end all the same. */
const READ_ATTEMPTS = 3;

/**
 * Access token -> session of a device. A process cache answers all but the first request of a device; a change of
 * credentials, device or profile drops what it touches before the change is acknowledged. What is unknown is never
 * cached: a token works from the moment it exists.
 */
export class DeviceAuth {
  readonly #byToken = new Map<string, DeviceSession>();
  #newest: DeviceSession | undefined = undefined;
  readonly #tokenOf = new Map<Uuid, string>();
  readonly #waiters = new MultiMap<Uuid, SessionWaiter>();
  readonly #review: SessionReview<SessionWaiter, Stored>;
  /** Counts the changes heard: a read that began before a change must not fill the cache after it. */
  #changes = 0;
  readonly #misses;

  constructor(
    private readonly devices: DeviceStore,
    private readonly cacheMax: number,
    clock: Clock,
    metrics: MetricsRegistry,
  ) {
    const read = (deviceId: Uuid, waiters: readonly SessionWaiter[]) => this.#stored(deviceId, waiters);
    this.#review = new SessionReview(read, clock, (deviceId) => this.#waiters.of(deviceId), compare);
    devices.onSessionChange((change) => this.#forget(change));
    this.#misses = metrics.counter('tandem_credentials_cache_misses_total', 'Credentials read from the store');
    metrics.gauge('tandem_credentials_cached', 'Credentials in the process cache', () => this.#byToken.size);
    metrics.gauge(
      'tandem_sessions_to_review',
      'Devices that are waited on and whose changes may have gone by unheard',
      () => this.#review.due,
    );
  }

  /** The session, where the cache knows it: the way of nearly every request, without a promise. */
  cached(token: string): DeviceSession | undefined {
    return this.#byToken.get(token);
  }

  /**
   * The session of the device whose ACCESS_TOKEN this is.
   * @throws TandemError UNAUTHORIZED for an unknown token or one of another credentials type (contract 1.1, 1.6)
   */
  async resolve(token: string): Promise<DeviceSession> {
    const known = this.#byToken.get(token);
    if (known) return known;
    if (token === '') throw new TandemError('UNAUTHORIZED');
    this.#misses.add();
    for (let attempt = 1; ; attempt++) {
      const before = this.#changes;
      const resolved = await this.devices.resolveCredentials(token);
      const changed = before !== this.#changes;
      // Read again: a poll opened on credentials of before the change would never hear of it.
      if (changed && attempt < READ_ATTEMPTS) continue;
      if (resolved?.credentials.credentialsType !== 'ACCESS_TOKEN') throw new TandemError('UNAUTHORIZED');
      const session = sessionOf(resolved, this.#newest);
      this.#newest = session;
      if (!changed) this.#remember(token, session);
      return session;
    }
  }

  /** Whether nothing has changed since it was made: no is said also of one that there was no room to keep. */
  isCurrent(session: DeviceSession): boolean {
    const token = this.#tokenOf.get(session.deviceId);
    return token !== undefined && this.#byToken.get(token) === session;
  }

  /** Those who wait on sessions. */
  get waiting(): number {
    return this.#waiters.count;
  }

  /**
   * Tells when a session ends because its device was deleted or got other credentials than it was made from; also when it
   * had ended before, though never within this call. Until `unwatch`.
   */
  watch(waiter: SessionWaiter): void {
    const { session } = waiter;
    this.#waiters.add(session.deviceId, waiter);
    // What the cache holds has heard of no change until now. Any other session may have ended before anybody listened.
    if (!this.isCurrent(session)) this.#review.add(session.deviceId);
  }

  unwatch(waiter: SessionWaiter): void {
    const { deviceId } = waiter.session;
    if (this.#waiters.delete(deviceId, waiter)) this.#review.forget(deviceId);
  }

  /** As `watch`. @returns stops listening */
  onSessionEnd(session: DeviceSession, listener: (reason: SessionEnd) => void): () => void {
    const waiter: SessionWaiter = { session, sessionEnded: listener };
    this.watch(waiter);
    return () => this.unwatch(waiter);
  }

  #remember(token: string, session: DeviceSession): void {
    if (this.#byToken.size >= this.cacheMax) this.#drop(this.#byToken.keys().next().value as string);
    this.#byToken.set(token, session);
    this.#tokenOf.set(session.deviceId, token);
  }

  #drop(token: string): void {
    const session = this.#byToken.get(token);
    if (!session) return;
    this.#byToken.delete(token);
    if (this.#tokenOf.get(session.deviceId) === token) this.#tokenOf.delete(session.deviceId);
  }

  #forget(change: SessionChange): void {
    this.#changes++;
    if (change.kind === 'missed') {
      this.#byToken.clear();
      this.#tokenOf.clear();
      this.#review.review(this.#waiters.keys());
      return;
    }
    if (change.kind === 'profile') {
      for (const [token, session] of this.#byToken) if (session.profileId === change.profileId) this.#drop(token);
      void this.#profileChanged(change.profileId);
      return;
    }
    const token = this.#tokenOf.get(change.deviceId);
    if (token !== undefined) this.#drop(token);
    if (change.kind === 'device') {
      if (this.#waiters.of(change.deviceId).some(({ profileId }) => profileId)) this.#review.add(change.deviceId);
      return;
    }
    for (const waiter of this.#waiters.of(change.deviceId)) waiter.sessionEnded(change.kind);
  }

  async #stored(deviceId: Uuid, waiters: readonly SessionWaiter[]): Promise<Stored> {
    const credentials = await this.devices.getCredentials(deviceId);
    if (!credentials || !waiters.some(({ profileId }) => profileId)) return { credentials, profile: undefined };
    const device = await this.devices.getDevice(deviceId);
    return { credentials, profile: device && (await this.devices.getProfileInfo(device.deviceProfileId)) };
  }

  /** One read for all its devices: it is rare that a profile rules out what it allowed, and then each is looked at. */
  async #profileChanged(profileId: Uuid): Promise<void> {
    const devices = this.#followersOf(profileId);
    if (devices.length === 0) return;
    const profile = await this.devices.getProfileInfo(profileId).catch(() => undefined);
    if (!profile || !speaksCoap(profile)) this.#review.review(devices);
  }

  #followersOf(profileId: Uuid): Uuid[] {
    const followed = (deviceId: Uuid) => this.#waiters.of(deviceId).some((waiter) => waiter.profileId === profileId);
    return [...this.#waiters.keys()].filter(followed);
  }
}

function compare(waiter: SessionWaiter, { credentials, profile }: Stored): void {
  const { id, version } = waiter.session.credentials;
  if (!credentials) waiter.sessionEnded('deleted');
  else if (credentials.id !== id || credentials.version !== version) waiter.sessionEnded('credentials');
  else if (profile) waiter.profileIs?.(profile);
}
