import { type DeviceAuth, type DeviceSession, type Millis, TandemError } from '@tandem/core';
import { PeerDevice, showsDevice } from './dtls/peer-device';
import { DtlsSession } from './dtls/session';
import type { CoapRequest } from './endpoint/index';
import type { Lookups } from './lookups';

/**
 * Which device sends a request. What a client has shown to open its DTLS session comes before the token in the path, which is for
 * those who have shown nothing that a device is known by (contract 2.3, TV-310 to 312).
 */
export class Callers {
  /** Those of sessions without certificate or key are undefined. */
  readonly #peers = new WeakMap<object, PeerDevice | undefined>();

  constructor(
    private readonly auth: DeviceAuth,
    private readonly lookups: Lookups,
    private readonly monotonic: () => Millis,
  ) {}

  /** Where it is known without a look into the store. */
  cached(request: CoapRequest, token: string | undefined): DeviceSession | undefined {
    const device = this.#cached(request, token);
    const { session } = request.peer;
    if (device !== undefined && session instanceof DtlsSession) session.known();
    return device;
  }

  #cached(request: CoapRequest, token: string | undefined): DeviceSession | undefined {
    const peer = this.#peerOf(request);
    if (peer !== undefined) {
      const device = peer.cached();
      if (device !== undefined || !peer.isNobodys(this.monotonic())) return device;
    }
    return token === undefined ? undefined : this.lookups.cached(token, request);
  }

  /**
   * To be asked when `cached` does not know. Undefined, at once or by the promise: there is no room for one more lookup.
   * @throws TandemError UNAUTHORIZED when it is no device, TOO_MANY_REQUESTS for who is locked out; at once, or by the promise
   */
  find(request: CoapRequest, token: string | undefined): Promise<DeviceSession | undefined> | undefined {
    const found = this.#find(request, token);
    const { session } = request.peer;
    if (!(session instanceof DtlsSession) || session.isDevices) return found;
    return found?.then((device) => {
      if (device !== undefined) session.known();
      return device;
    });
  }

  #find(request: CoapRequest, token: string | undefined): Promise<DeviceSession | undefined> | undefined {
    const peer = this.#peerOf(request);
    const now = this.monotonic();
    if (token === undefined) {
      if (peer === undefined) throw new TandemError('UNAUTHORIZED');
      return this.lookups.guarded(request, async () => required(await peer.find(now)));
    }
    if (peer === undefined || peer.isNobodys(now)) return this.#byToken(request, token);
    const looked = this.lookups.run(request, () => peer.find(now));
    return looked?.then((device) => device ?? this.#byToken(request, token));
  }

  #byToken(request: CoapRequest, token: string): Promise<DeviceSession> | undefined {
    const known = this.lookups.cached(token, request);
    return known === undefined ? this.lookups.find(token, request) : Promise.resolve(known);
  }

  /**
   * A session by a key ends with its device also where nothing has been said in it yet. What is read for that, its first request
   * finds in the cache; where the store is away that asks again. Strangers can have no such session.
   */
  opened(session: DtlsSession): void {
    if (session.identity.preSharedKey === undefined) return;
    this.#peerOfSession(session)
      ?.find(this.monotonic())
      .catch(() => {});
  }

  #peerOf({ peer: { session } }: CoapRequest): PeerDevice | undefined {
    return session instanceof DtlsSession ? this.#peerOfSession(session) : undefined;
  }

  #peerOfSession(session: DtlsSession): PeerDevice | undefined {
    if (this.#peers.has(session)) return this.#peers.get(session);
    const peer = showsDevice(session.identity) ? new PeerDevice(session, this.auth) : undefined;
    this.#peers.set(session, peer);
    if (peer) session.onEnd = () => peer.close();
    return peer;
  }
}

function required(device: DeviceSession | undefined): DeviceSession {
  if (device === undefined) throw new TandemError('UNAUTHORIZED');
  return device;
}
