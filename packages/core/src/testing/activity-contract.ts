import type { Uuid } from '../devices/model';
import type { ActivityTerms } from '../state/activity-store';
import { CREATED, credentialsOf, entriesOf } from './builders';
import { accepted, type MakeStore, useSharedStore } from './store-under-test';

const MINUTE = 60_000;
const NOON = CREATED + 720 * MINUTE;

/** Minutes after noon. */
const at = (minutes: number): number => NOON + minutes * MINUTE;
/** Devices are inactive after ten minutes. */
const terms = (minutes: number): ActivityTerms => ({ now: at(minutes), defaultTimeout: 10 * MINUTE });

/** All that hold for connectivity whichever the store is (server contract 9). */
export function describeActivityContract(makeStore: MakeStore): void {
  describe('ActivityStore', () => {
    const store = useSharedStore(makeStore);

    const report = (minutes: number, ...devices: Uuid[]) =>
      store.state.activity.report(new Map(devices.map((id) => [id, at(minutes)])), terms(minutes));
    const settle = (minutes: number, limit = 100) => store.state.activity.settle(terms(minutes), limit);
    const timeout = async (deviceId: Uuid, minutes: number, text: string) => {
      await store.state.attributes.save(deviceId, 'SERVER', entriesOf({ inactivityTimeout: text }), at(minutes));
      await store.state.activity.reevaluate(deviceId, terms(minutes));
    };
    /** What a user sees. */
    const seen = async (deviceId: Uuid) =>
      Object.fromEntries((await store.state.attributes.read(deviceId, 'SERVER')).map(({ key, value }) => [key, value]));
    /** When the attribute was written; undefined = never. */
    const written = async (deviceId: Uuid, key: string) =>
      (await store.state.attributes.read(deviceId, 'SERVER', [key]))[0]?.lastUpdateTs;

    it('makes a device active with its first message, once, whichever process took it', async () => {
      const { id } = await store.device();
      await store.state.activity.begin(id, terms(0));
      expect(await seen(id)).toEqual({ active: 'false' });
      const [one, other] = await Promise.all([report(1, id), report(1, id)]);
      expect([...one, ...other]).toEqual([id]);
      expect(await seen(id)).toEqual({ active: 'true', lastActivityTime: String(at(1)) });
      expect(await report(2, id)).toEqual([]);
      expect(await seen(id)).toEqual({ active: 'true', lastActivityTime: String(at(2)) });
      expect(await written(id, 'active')).toBe(at(1));
    });

    it('reports many devices at once, each with a time of its own', async () => {
      const profile = await store.profile();
      const ids: Uuid[] = [];
      for (let n = 0; n < 40; n++) ids.push((await store.device({}, { profile })).id);
      const activity = new Map(ids.map((id, n) => [id, NOON - n]));
      expect([...(await store.state.activity.report(activity, terms(0)))].sort()).toEqual([...ids].sort());
      for (const [id, time] of activity) {
        expect(await seen(id)).toEqual({ active: 'true', lastActivityTime: String(time) });
      }
    });

    it('keeps the newest message where reports come out of order', async () => {
      const { id } = await store.device();
      await report(5, id);
      await store.state.activity.report(new Map([[id, at(3)]]), terms(6));
      expect(await seen(id)).toEqual({ active: 'true', lastActivityTime: String(at(5)) });
    });

    it('makes a device inactive after its timeout, and says when, by one of two monitors', async () => {
      await store.empty();
      const { id } = await store.device();
      await report(0, id);
      await settle(9.9);
      expect((await seen(id)).active).toBe('true');
      const looks = await Promise.all([settle(10), settle(10)]);
      expect(looks.flatMap(({ becameInactive }) => becameInactive)).toEqual([id]);
      const inactive = { active: 'false', lastActivityTime: String(NOON), inactivityAlarmTime: String(at(10)) };
      expect(await seen(id)).toEqual(inactive);
      expect(await settle(100)).toEqual({ looked: 0, becameInactive: [] });
      expect(await seen(id)).toEqual(inactive);
    });

    it('makes it active again with its next message, and keeps the time of the alarm', async () => {
      await store.empty();
      const { id } = await store.device();
      await report(0, id);
      await settle(10);
      expect(await report(20, id)).toEqual([id]);
      const active = { active: 'true', lastActivityTime: String(at(20)), inactivityAlarmTime: String(at(10)) };
      expect(await seen(id)).toEqual(active);
      expect((await settle(30)).becameInactive).toEqual([id]);
    });

    it('takes an alarm back that a message proves wrong which was reported late', async () => {
      const { id } = await store.device();
      await report(0, id);
      await settle(10);
      await store.state.activity.report(new Map([[id, at(9)]]), terms(11));
      expect(await seen(id)).toEqual({ active: 'true', lastActivityTime: String(at(9)), inactivityAlarmTime: '0' });
    });

    it('does not overrule a message that comes while a monitor looks', async () => {
      const { id } = await store.device();
      await report(0, id);
      await report(9, id);
      expect((await settle(12)).becameInactive).toEqual([]);
      const [, { becameInactive }] = await Promise.all([report(19, id), settle(19)]);
      const after = await settle(19);
      expect(await seen(id)).toMatchObject({ active: 'true', lastActivityTime: String(at(19)) });
      expect(becameInactive.length + after.becameInactive.length).toBeLessThan(2);
      expect((await settle(29)).becameInactive).toEqual([id]);
    });

    it('ends right whatever the order in which messages and monitors come together', async () => {
      const { id } = await store.device();
      for (let round = 0; round < 30; round++) {
        const now = round * 20;
        await Promise.all([settle(now), report(now, id), settle(now), report(now, id)]);
        expect(await seen(id)).toMatchObject({ active: 'true', lastActivityTime: String(at(now)) });
        await Promise.all([settle(now + 10), settle(now + 10)]);
        expect(await seen(id)).toMatchObject({ active: 'false', inactivityAlarmTime: String(at(now + 10)) });
      }
    });

    it('looks at the earliest first, so many at a time', async () => {
      const profile = await store.profile();
      const ids: Uuid[] = [];
      for (let n = 0; n < 5; n++) {
        const { id } = await store.device({}, { profile });
        await report(n, id);
        ids.push(id);
      }
      expect((await settle(60, 2)).becameInactive).toEqual(ids.slice(0, 2));
      expect(await settle(60, 2)).toEqual({ looked: 2, becameInactive: ids.slice(2, 4) });
      expect(await settle(60, 2)).toEqual({ looked: 1, becameInactive: ids.slice(4) });
      expect(await settle(60, 0)).toEqual({ looked: 0, becameInactive: [] });
    });

    describe('with an inactivityTimeout of the device', () => {
      it('counts a shorter one at once', async () => {
        const { id } = await store.device();
        await report(0, id);
        await timeout(id, 2, '60000');
        expect(await seen(id)).toMatchObject({ active: 'false', inactivityAlarmTime: String(at(2)) });
        await report(3, id);
        await settle(3.9);
        expect((await seen(id)).active).toBe('true');
        expect((await settle(4)).becameInactive).toEqual([id]);
      });

      it('counts a longer one at once: what was inactive is active again', async () => {
        const { id } = await store.device();
        await report(0, id);
        await settle(10);
        await timeout(id, 11, String(30 * MINUTE));
        expect(await seen(id)).toMatchObject({ active: 'true', inactivityAlarmTime: '0' });
        expect((await settle(29)).becameInactive).toEqual([]);
        expect((await settle(30)).becameInactive).toEqual([id]);
      });

      it('falls back to the default for what is no time above 0', async () => {
        for (const text of ['0', '-1', '"60000"', '60000.0', 'true', '{"a":1}']) {
          const { id } = await store.device();
          await report(0, id);
          await timeout(id, 5, text);
          expect([text, (await seen(id)).active]).toEqual([text, 'true']);
          await timeout(id, 10, text);
          expect([text, (await seen(id)).active]).toEqual([text, 'false']);
        }
      });

      it('takes any 64-bit length for a long time', async () => {
        const { id } = await store.device();
        await report(0, id);
        await timeout(id, 1, '9223372036854775807');
        expect(await settle(1_000_000)).toMatchObject({ becameInactive: [] });
        expect((await seen(id)).active).toBe('true');
        await store.state.attributes.delete(id, 'SERVER', ['inactivityTimeout'], at(1_000_000));
        await store.state.activity.reevaluate(id, terms(1_000_000));
        expect((await seen(id)).active).toBe('false');
      });

      it('changes nothing for a device that never sent anything, but for its first alarm', async () => {
        const { id } = await store.device();
        await timeout(id, 0, '9223372036854775807');
        await timeout(id, 0, '60000');
        expect(await seen(id)).toEqual({ inactivityTimeout: '60000' });
        await store.state.activity.begin(id, terms(0));
        await settle(1);
        expect(await seen(id)).toMatchObject({ active: 'false', inactivityAlarmTime: String(at(1)) });
      });
    });

    it('gives a new device that sends nothing an alarm after its timeout, once', async () => {
      const { id } = await store.device();
      await store.state.activity.begin(id, terms(0));
      await settle(9);
      expect(await seen(id)).toEqual({ active: 'false' });
      await settle(10);
      await settle(50);
      expect(await seen(id)).toEqual({ active: 'false', inactivityAlarmTime: String(at(10)) });
    });

    it('leaves a device that is known already as it is when it begins once more', async () => {
      const { id } = await store.device();
      await report(0, id);
      await store.state.activity.begin(id, terms(1));
      expect(await seen(id)).toEqual({ active: 'true', lastActivityTime: String(NOON) });
    });

    describe('sessions', () => {
      const opened = (id: Uuid, holder: string, minutes: number, until: number) =>
        store.state.activity.opened(id, holder, at(minutes), at(until), terms(minutes));
      const closed = (id: Uuid, holder: string, minutes: number) =>
        store.state.activity.closed(id, holder, at(minutes), terms(minutes));

      it('connect with the first and disconnect with the last over all processes', async () => {
        const { id } = await store.device();
        await opened(id, 'one', 0, 10);
        await opened(id, 'two', 1, 10);
        expect(await seen(id)).toEqual({ lastConnectTime: String(NOON) });
        await closed(id, 'one', 2);
        await closed(id, 'nobody', 3);
        expect(await seen(id)).toEqual({ lastConnectTime: String(NOON) });
        await closed(id, 'two', 4);
        expect(await seen(id)).toEqual({ lastConnectTime: String(NOON), lastDisconnectTime: String(at(4)) });
        await opened(id, 'one', 5, 10);
        expect(await seen(id)).toEqual({ lastConnectTime: String(at(5)), lastDisconnectTime: String(at(4)) });
      });

      it('stay open for as long as they are renewed', async () => {
        const { id } = await store.device();
        await opened(id, 'one', 0, 3);
        for (const minutes of [1, 2, 3, 4]) {
          await store.state.activity.opened(id, 'one', NOON, at(minutes + 3), terms(minutes));
          await settle(minutes);
        }
        expect(await seen(id)).toEqual({ lastConnectTime: String(NOON) });
      });

      it('end by themselves when their process died', async () => {
        await store.empty();
        const { id } = await store.device();
        await report(0, id);
        await opened(id, 'dies', 0, 3);
        await settle(2.9);
        expect(await seen(id)).not.toHaveProperty('lastDisconnectTime');
        await settle(3.5);
        expect(await seen(id)).toMatchObject({ active: 'true', lastDisconnectTime: String(at(3)) });
        await closed(id, 'dies', 4);
        expect(await seen(id)).toMatchObject({ lastDisconnectTime: String(at(3)) });
        expect((await settle(10)).becameInactive).toEqual([id]);
      });

      it('of a dead process do not keep the device connected when the last living one closes', async () => {
        const { id } = await store.device();
        await opened(id, 'dies', 0, 3);
        await opened(id, 'lives', 1, 10);
        await closed(id, 'lives', 5);
        expect(await seen(id)).toEqual({ lastConnectTime: String(NOON), lastDisconnectTime: String(at(5)) });
      });

      it('connect anew after those of a dead process lapsed, looked at or not', async () => {
        const { id } = await store.device();
        await opened(id, 'dies', 0, 3);
        await opened(id, 'lives', 5, 8);
        expect(await seen(id)).toEqual({ lastConnectTime: String(at(5)), lastDisconnectTime: String(at(3)) });
        await settle(6);
        await settle(8);
        expect(await seen(id)).toEqual({ lastConnectTime: String(at(5)), lastDisconnectTime: String(at(8)) });
      });

      it('do not make a device active', async () => {
        const { id } = await store.device();
        await store.state.activity.begin(id, terms(0));
        await opened(id, 'one', 1, 30);
        await settle(10);
        expect(await seen(id)).toMatchObject({ active: 'false', inactivityAlarmTime: String(at(10)) });
      });
    });

    it('goes on after a restart: a device that was silent meanwhile is found', async () => {
      const [silent, alive] = [await store.device(), await store.device()];
      await report(0, silent.id, alive.id);
      await store.state.activity.opened(silent.id, 'one', NOON, at(3), terms(0));
      await store.reopen();
      expect(await report(9, alive.id)).toEqual([]);
      await settle(10);
      expect(await seen(silent.id)).toMatchObject({ active: 'false', lastDisconnectTime: String(at(3)) });
      expect(await seen(alive.id)).toMatchObject({ active: 'true', lastActivityTime: String(at(9)) });
    });

    it('leaves nothing of a device that is deleted, nor for one that is made again with its id', async () => {
      await store.empty();
      const profile = await store.profile();
      const [device, neighbour] = [await store.device({}, { profile }), await store.device({}, { profile })];
      await report(0, device.id, neighbour.id);
      await store.state.activity.opened(device.id, 'one', NOON, at(3), terms(0));
      await store.state.devices.deleteDevice(device.id);
      expect(await report(1, device.id)).toEqual([]);
      await store.state.activity.begin(device.id, terms(1));
      await store.state.activity.opened(device.id, 'two', at(1), at(3), terms(1));
      await store.state.activity.closed(device.id, 'two', at(2), terms(2));
      await store.state.activity.reevaluate(device.id, terms(2));
      expect(await seen(device.id)).toEqual({});
      expect((await settle(10)).becameInactive).toEqual([neighbour.id]);
      expect((await settle(100)).looked).toBe(0);

      accepted(await store.state.devices.createDevice(device, credentialsOf(device)));
      await settle(101);
      expect(await seen(device.id)).toEqual({});
      expect(await report(102, device.id)).toEqual([device.id]);
      expect(await seen(device.id)).toEqual({ active: 'true', lastActivityTime: String(at(102)) });
    });
  });
}
