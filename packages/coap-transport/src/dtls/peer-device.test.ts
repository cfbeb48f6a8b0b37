import { DeviceAuth, type DeviceStore, MetricsRegistry, type SessionChange } from '@tandem/core';
import { aDevice, aProfile, credentialsOf } from '@tandem/core/testing';
import { FakeClock } from '../endpoint/testing/fake-clock';
import type { DtlsConnection, PeerIdentity } from './engine';
import { PeerDevice } from './peer-device';
import { DtlsSession } from './session';

const profile = aProfile();
const device = aDevice(profile);
const X509 = credentialsOf(device, {
  credentialsType: 'X509_CERTIFICATE',
  credentialsId: 'leaf',
  credentialsValue: 'x',
});
const PSK = credentialsOf(device, { credentialsType: 'PSK', credentialsId: 'identity', credentialsValue: 'ab' });

let clock: FakeClock;
let auth: DeviceAuth;
/** What the store has; undefined: the device is gone. */
let stored: typeof X509 | undefined;
let change: (change: SessionChange) => void;
let ended: string[];
beforeEach(() => {
  clock = new FakeClock();
  stored = X509;
  ended = [];
  const store: Partial<DeviceStore> = {
    resolveCredentials: async (id) =>
      stored?.credentialsId === id ? { device, profile, credentials: stored } : undefined,
    getCredentials: async () => stored,
    getDevice: async () => (stored ? device : undefined),
    getProfileInfo: async () => profile,
    onSessionChange: (listener) => {
      change = listener;
      return () => {};
    },
  };
  auth = new DeviceAuth(store as DeviceStore, 100, clock, new MetricsRegistry());
});

function sessionOf(identity: Partial<PeerIdentity>) {
  const whole = {
    certificateIds: [],
    until: Number.POSITIVE_INFINITY,
    preSharedKey: undefined,
    resumed: false,
    ...identity,
  };
  const session = new DtlsSession('10.0.0.1', 40_000, whole, {} as DtlsConnection, 0, {
    known() {},
    received() {},
    send() {},
    end(of, reason) {
      ended.push(reason);
      of.ended = true;
      of.onEnd?.();
    },
  });
  const peer = new PeerDevice(session, auth);
  session.onEnd = () => peer.close();
  return { peer, session };
}
const peerOf = (identity: Partial<PeerIdentity>) => sessionOf(identity).peer;
const certified = () => peerOf({ certificateIds: ['leaf', 'authority'] });
const keyed = () =>
  peerOf({ preSharedKey: { identity: 'identity', credentials: { id: PSK.id, version: PSK.version } } });

describe('The device of a certificate', () => {
  it('is looked up once, and then known', async () => {
    const peer = certified();
    expect(peer.cached()).toBeUndefined();
    const found = await peer.find(0);
    expect(found).toMatchObject({ deviceId: device.id });
    expect(peer.cached()).toBe(found);
    expect(auth.waiting).toBe(1);
  });

  it('is that of the first certificate of the chain that a device has', async () => {
    stored = { ...X509, credentialsId: 'authority' };
    const peer = certified();
    const found = await peer.find(0);
    expect(found).toMatchObject({ deviceId: device.id });
    expect(peer.cached()).toBe(found);
  });

  it('is nobody for five seconds, and may be somebody afterwards', async () => {
    stored = undefined;
    const peer = certified();
    expect(await peer.find(100)).toBeUndefined();
    expect([peer.isNobodys(5_099), peer.isNobodys(5_100)]).toEqual([true, false]);
    stored = X509;
    expect(await peer.find(200)).toBeDefined();
    expect(peer.isNobodys(201)).toBe(false);
    expect(ended).toEqual([]);
  });

  it('takes the session with it, also where the change went by unheard', async () => {
    const peers = [certified(), certified()];
    for (const peer of peers) await peer.find(0);
    stored = { ...X509, version: 2 };
    change({ kind: 'missed' });
    await clock.settle();
    expect(ended).toEqual(['revoked', 'revoked']);
    expect(auth.waiting).toBe(0);
  });

  it('leaves the session where only its name has changed', async () => {
    const peer = certified();
    await peer.find(0);
    change({ kind: 'device', deviceId: device.id });
    expect(peer.cached()).toBeUndefined();
    expect(await peer.find(0)).toBeDefined();
    await clock.settle();
    expect([ended, auth.waiting]).toEqual([[], 1]);
  });

  it('is not waited for by a session that was over before it was found', async () => {
    const { peer, session } = sessionOf({ certificateIds: ['leaf'] });
    const found = peer.find(0);
    session.close('idle');
    await expect(found).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect(auth.waiting).toBe(0);
  });
});

describe('The device of a pre-shared key', () => {
  it('is the one whose key it is', async () => {
    stored = PSK;
    const peer = keyed();
    expect(await peer.find(0)).toMatchObject({ deviceId: device.id });
    expect(ended).toEqual([]);
  });

  it('is not the one that has another key with that identity by now, known to the cache or not: the session is over', async () => {
    stored = { ...PSK, version: PSK.version + 1 };
    await expect(keyed().find(0)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    await auth.resolveFor('PSK', ['identity']);
    expect(keyed().cached()).toBeUndefined();
    await clock.settle();
    expect(ended).toEqual(['revoked', 'revoked']);
  });

  it('is nobody where it was deleted since the handshake: the session is over', async () => {
    stored = undefined;
    expect(await keyed().find(0)).toBeUndefined();
    expect(ended).toEqual(['revoked']);
  });
});
