import type { CredentialsType, DeviceCredentials, ProfileInfo, Uuid } from '../devices/model';
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

/** Types of credentials that devices of these doors have. */
const TYPES = ['ACCESS_TOKEN', 'X509_CERTIFICATE', 'PSK'] as const satisfies readonly CredentialsType[];
export type AuthType = (typeof TYPES)[number];

/**
 * Credentials -> session of a device, apart by type: what is an id of one type never stands for one of another. A process
 * cache answers all but the first request of a device; a change of credentials, device or profile drops what it touches
 * before the change is acknowledged. What is unknown is never cached: a token works from the moment it exists.
 */
export class DeviceAuth {
  readonly #known = new Map<AuthType, Map<string, DeviceSession>>(TYPES.map((type) => [type, new Map()]));
  #newest: DeviceSession | undefined = undefined;
  /** Of those known the id of the credentials, of which a device has one; the first is known for longest. */
  readonly #idOf = new Map<Uuid, string>();
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
    this.#misses = metrics.counter('tandem_credentials_cache_misses_total');
    metrics.gauge('tandem_credentials_cached', () => this.#idOf.size);
    metrics.gauge('tandem_sessions_to_review', () => this.#review.due);
  }

  /** The session of an access token, where the cache knows it: the way of nearly every request, without a promise. */
  cached(token: string): DeviceSession | undefined {
    return this.cachedFor('ACCESS_TOKEN', token);
  }

  /** As `cached`, of credentials of any type. */
  cachedFor(type: AuthType, id: string): DeviceSession | undefined {
    return this.#known.get(type)?.get(id);
  }

  /**
   * The session of the device whose ACCESS_TOKEN this is.
   * @throws TandemError UNAUTHORIZED for an unknown token or one of another credentials type (contract 1.1, 1.6)
   */
  resolve(token: string): Promise<DeviceSession> {
    return this.resolveFor('ACCESS_TOKEN', [token]);
  }

  /**
   * The session of the first of these credentials that a device has.
   * @throws TandemError UNAUTHORIZED where none has any of them
   */
  async resolveFor(type: AuthType, ids: readonly string[]): Promise<DeviceSession> {
    for (const id of ids) {
      const session = this.cachedFor(type, id) ?? (await this.#read(type, id));
      if (session) return session;
    }
    throw new TandemError('UNAUTHORIZED');
  }

  async #read(type: AuthType, id: string): Promise<DeviceSession | undefined> {
    if (id === '') return undefined;
    this.#misses.add();
    for (let attempt = 1; ; attempt++) {
      const before = this.#changes;
      const resolved = await this.devices.resolveCredentials(id);
      const changed = before !== this.#changes;
      // Read again: a poll opened on credentials of before the change would never hear of it.
      if (changed && attempt < READ_ATTEMPTS) continue;
      if (resolved?.credentials.credentialsType !== type) return undefined;
      const session = sessionOf(resolved, this.#newest);
      this.#newest = session;
      if (!changed) this.#remember(type, id, session);
      return session;
    }
  }

  /** Whether nothing has changed since it was made: no is said also of one that there was no room to keep. */
  isCurrent(session: DeviceSession): boolean {
    const id = this.#idOf.get(session.deviceId);
    if (id === undefined) return false;
    for (const known of this.#known.values()) if (known.get(id) === session) return true;
    return false;
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

  #remember(type: AuthType, id: string, session: DeviceSession): void {
    this.#drop(session.deviceId);
    if (this.#idOf.size >= this.cacheMax) this.#drop(this.#idOf.keys().next().value as Uuid);
    this.#known.get(type)?.set(id, session);
    this.#idOf.set(session.deviceId, id);
  }

  #drop(deviceId: Uuid): void {
    const id = this.#idOf.get(deviceId);
    if (id === undefined) return;
    this.#idOf.delete(deviceId);
    // Another device may have the same id as credentials of another type.
    for (const known of this.#known.values()) if (known.get(id)?.deviceId === deviceId) known.delete(id);
  }

  #forget(change: SessionChange): void {
    this.#changes++;
    if (change.kind === 'missed') {
      for (const known of this.#known.values()) known.clear();
      this.#idOf.clear();
      this.#review.review(this.#waiters.keys());
      return;
    }
    if (change.kind === 'profile') {
      for (const known of this.#known.values()) {
        for (const { deviceId, profileId } of known.values()) if (profileId === change.profileId) this.#drop(deviceId);
      }
      void this.#profileChanged(change.profileId);
      return;
    }
    this.#drop(change.deviceId);
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
