import {
  type AuthType,
  type CredentialsStamp,
  type DeviceAuth,
  type DeviceSession,
  type Millis,
  type ProfileInfo,
  type SessionWaiter,
  speaksCoap,
  TandemError,
  type Uuid,
} from '@tandem/core';
import type { PeerIdentity } from './engine';
import type { DtlsSession } from './session';

/** How long a certificate that no device has is not looked up again for requests that have a token as well. */
const NOBODYS_FOR: Millis = 5_000;

/** The device behind a DTLS session, as far as its client has shown one: by certificates, or by a pre-shared key. */
export class PeerDevice {
  readonly #type: AuthType;
  readonly #ids: readonly string[];
  /** Of the key that the session is by: another one with the same identity is not what the client has shown. */
  readonly #stamp: CredentialsStamp | undefined;
  /** Which of them the device was found by. */
  #id: string | undefined;
  #watch: Watch | undefined;
  #over = false;
  /** Until then it is nobody's, monotonic. */
  #nobodysUntil: Millis = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly session: DtlsSession,
    private readonly auth: DeviceAuth,
  ) {
    const { certificateIds, preSharedKey } = session.identity;
    this.#type = preSharedKey ? 'PSK' : 'X509_CERTIFICATE';
    this.#ids = preSharedKey ? [preSharedKey.identity] : certificateIds;
    this.#stamp = preSharedKey?.credentials;
    this.#id = this.#ids[0];
  }

  /** The device, where the cache of credentials knows it: the way of nearly every request, without a promise. */
  cached(): DeviceSession | undefined {
    if (this.#over) return undefined;
    const device = this.#id === undefined ? undefined : this.auth.cachedFor(this.#type, this.#id);
    if (device === undefined || device === this.#watch?.latest) return device;
    return this.#isOurs(device) ? device : undefined;
  }

  /** Whether the store has said a short while ago that no device has any of them: one may have by now. */
  isNobodys(now: Millis): boolean {
    return now < this.#nobodysUntil;
  }

  /** Asks the store. Undefined: no device has any of them. @throws TandemError UNAUTHORIZED where the session is over */
  async find(now: Millis): Promise<DeviceSession | undefined> {
    const device = await this.#resolve();
    if (device === undefined) {
      // What has opened the session is no more.
      if (this.#type === 'PSK') this.#end();
      this.#nobodysUntil = now + NOBODYS_FOR;
      return undefined;
    }
    if (!this.#isOurs(device)) throw new TandemError('UNAUTHORIZED');
    this.#nobodysUntil = Number.NEGATIVE_INFINITY;
    return device;
  }

  /** The session is over. */
  close(): void {
    if (this.#watch) this.auth.unwatch(this.#watch);
    this.#watch = undefined;
  }

  async #resolve(): Promise<DeviceSession | undefined> {
    for (const id of this.#ids) {
      try {
        const device = await this.auth.resolveFor(this.#type, [id]);
        this.#id = id;
        return device;
      } catch (error) {
        if (!(error instanceof TandemError) || error.code !== 'UNAUTHORIZED') throw error;
      }
    }
    return undefined;
  }

  /** From the first time on the session is over as soon as its device, or what it shows, is another. */
  #isOurs(device: DeviceSession): boolean {
    if (this.#over || this.session.ended) return false;
    const isOther =
      (this.#stamp !== undefined && !isSame(this.#stamp, device.credentials)) ||
      (this.#watch !== undefined && !isSame(this.#watch.session.credentials, device.credentials));
    if (isOther) {
      this.#end();
      return false;
    }
    if (this.#watch) this.#watch.latest = device;
    else {
      this.#watch = new Watch(device, () => this.#end());
      this.auth.watch(this.#watch);
    }
    return true;
  }

  /** Once all who wait on the device have been told: those who observe say goodbye in the session. */
  #end(): void {
    if (this.#over) return;
    this.#over = true;
    queueMicrotask(() => this.session.close('revoked'));
  }
}

const isSame = (one: CredentialsStamp, other: CredentialsStamp) => one.id === other.id && one.version === other.version;

/** Waits for the end of what a DTLS session stands for. */
class Watch implements SessionWaiter {
  profileId: Uuid;
  /** As of the last request. */
  latest: DeviceSession;

  constructor(
    readonly session: DeviceSession,
    private readonly end: () => void,
  ) {
    this.profileId = session.profileId;
    this.latest = session;
  }

  sessionEnded(): void {
    this.end();
  }

  profileIs(profile: ProfileInfo): void {
    this.profileId = profile.id;
    if (!speaksCoap(profile)) this.end();
  }
}

/** Whether it has shown anything that a device can be known by. */
export const showsDevice = ({ certificateIds, preSharedKey }: PeerIdentity): boolean =>
  certificateIds.length > 0 || preSharedKey !== undefined;
