import { useCore } from '../devices/testing/core-under-test';
import { MetricsRegistry } from '../platform/metrics';
import type { ActivityStore } from '../state/activity-store';
import { Connectivity } from './connectivity';

const MINUTE = 60_000;

describe('The connectivity of a device', () => {
  const used = useCore({ TANDEM_ACTIVITY_MAX_DEVICES: '2' });

  /** What a user sees. */
  const seen = async (deviceId: string) => {
    const found = await used.core.attributes.read(deviceId, 'SERVER');
    return Object.fromEntries(found.map(({ key, value }) => [key, value as string]));
  };
  /** One more process on the same store. */
  const process = (name: string, store: ActivityStore = used.core.state.activity) =>
    new Connectivity(
      store,
      name,
      { defaultTimeout: 10 * MINUTE, maxDevices: 2 },
      used.clock,
      used.core.logger,
      new MetricsRegistry(),
    );
  const device = async () => (await used.device(`token${Math.random()}`)).deviceId;
  const now = () => String(used.clock.now());

  it('is active after its first message, once, whichever process took it', async () => {
    const id = await device();
    const other = process('other');
    await used.core.connectivity.created(id);
    expect(await seen(id)).toEqual({ active: 'false' });
    used.core.connectivity.seen(id);
    used.clock.advance(1_000);
    other.seen(id);
    expect(await seen(id)).toEqual({ active: 'false' });
    await Promise.all([used.core.connectivity.flush(), other.flush()]);
    expect(await seen(id)).toEqual({ active: 'true', lastActivityTime: now() });
    expect(used.gauge('tandem_devices_became_active_total')).toBe(1);
  });

  it('ends after the timeout of the settings', async () => {
    const id = await device();
    used.core.connectivity.seen(id);
    await used.core.connectivity.flush();
    used.clock.advance(10 * MINUTE - 1);
    await used.core.connectivity.settle();
    expect((await seen(id)).active).toBe('true');
    used.clock.advance(1);
    await Promise.all([used.core.connectivity.settle(), process('other').settle()]);
    expect(await seen(id)).toMatchObject({ active: 'false', inactivityAlarmTime: now() });
    expect(used.gauge('tandem_devices_became_inactive_total')).toBe(1);
  });

  it('is told when the store is back: no message is forgotten, and the newest counts', async () => {
    const id = await device();
    let away = true;
    const store = new Proxy(used.core.state.activity, {
      get: (target, name) => {
        if (away) return () => Promise.reject(new Error('away'));
        return (Reflect.get(target, name) as (...given: unknown[]) => unknown).bind(target);
      },
    });
    const cut = process('cut', store);
    cut.seen(id);
    const session = cut.open(id);
    await cut.flush();
    used.clock.advance(1_000);
    cut.seen(id);
    const newest = now();
    await cut.flush();
    away = false;
    used.clock.advance(1_000);
    await cut.flush();
    expect(await seen(id)).toMatchObject({ active: 'true', lastActivityTime: newest });
    expect(await seen(id)).toHaveProperty('lastConnectTime');
    session.close();
    expect(used.log.filter(({ message }) => message.includes('not reported'))).toHaveLength(2);
  });

  it('takes no more memory than the settings say, and counts what it leaves out', async () => {
    const ids = [await device(), await device(), await device()];
    for (const id of [...ids, ...ids]) used.core.connectivity.seen(id);
    expect(used.gauge('tandem_activity_unreported')).toBe(2);
    expect(used.gauge('tandem_limit_hits_total', { limit: 'TANDEM_ACTIVITY_MAX_DEVICES' })).toBe(2);
    await used.core.connectivity.flush();
    expect(used.gauge('tandem_activity_unreported')).toBe(0);
    expect(await Promise.all(ids.map(async (id) => (await seen(id)).active))).toEqual(['true', 'true', undefined]);
  });

  describe('sessions', () => {
    it('are told with the times at which they came and went, however late', async () => {
      const id = await device();
      const connected = now();
      const session = used.core.connectivity.open(id);
      used.clock.advance(100);
      session.close();
      const disconnected = now();
      used.clock.advance(2_000);
      await used.core.connectivity.flush();
      expect(await seen(id)).toEqual({ lastConnectTime: connected, lastDisconnectTime: disconnected });
      expect(used.gauge('tandem_sessions')).toBe(0);
    });

    it('are one for a device with several, here or in several processes', async () => {
      const id = await device();
      const other = process('other');
      const connected = now();
      const first = used.core.connectivity.open(id);
      await used.core.connectivity.flush();
      used.clock.advance(10);
      const second = used.core.connectivity.open(id);
      const third = other.open(id);
      first.close();
      first.close();
      await Promise.all([used.core.connectivity.flush(), other.flush()]);
      second.close();
      await used.core.connectivity.flush();
      expect(await seen(id)).toEqual({ lastConnectTime: connected });
      used.clock.advance(10);
      third.close();
      await other.flush();
      expect(await seen(id)).toEqual({ lastConnectTime: connected, lastDisconnectTime: now() });
    });

    it('go on when an observation is replaced within moments', async () => {
      const id = await device();
      const connected = now();
      const former = used.core.connectivity.open(id);
      await used.core.connectivity.flush();
      former.close();
      used.clock.advance(10);
      used.core.connectivity.open(id);
      await used.core.connectivity.flush();
      expect(await seen(id)).toEqual({ lastConnectTime: connected });
    });

    it('stay open for hours while their process lives', async () => {
      const id = await device();
      const connected = now();
      used.core.connectivity.open(id);
      for (let minutes = 0; minutes < 120; minutes++) {
        await used.core.connectivity.flush();
        await used.core.connectivity.settle();
        used.clock.advance(MINUTE);
      }
      expect(await seen(id)).toEqual({ lastConnectTime: connected });
    });

    it('end within three minutes of the death of their process', async () => {
      const id = await device();
      const dies = process('dies');
      dies.open(id);
      await dies.flush();
      used.clock.advance(3 * MINUTE);
      const lapsed = now();
      used.clock.advance(5_000);
      await used.core.connectivity.settle();
      expect(await seen(id)).toMatchObject({ lastDisconnectTime: lapsed });
    });

    it('end when their process closes, which also reports what it still had', async () => {
      const id = await device();
      used.core.connectivity.open(id);
      used.core.connectivity.seen(id);
      await used.core.connectivity.flush();
      used.clock.advance(10);
      used.core.connectivity.seen(id);
      await used.core.connectivity.close();
      expect(await seen(id)).toMatchObject({ lastActivityTime: now(), lastDisconnectTime: now() });
    });
  });
});
