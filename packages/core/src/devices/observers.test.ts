import type { DeviceSession } from '../auth/device-session';
import type { Core } from '../core';
import { TandemError } from '../errors';
import type { ObservedKind } from '../state/device-events';
import { entriesOf } from '../testing/builders';
import type { ObserverListener } from './observers';
import { over, useCore } from './testing/core-under-test';

const used = useCore();
let session: DeviceSession;
let here: Core;
let there: Core;
beforeEach(async () => {
  session = await used.device('observed');
  here = used.core;
  there = used.another();
});

/** An observation as a test sees it. */
async function observe(core: Core, kind: ObservedKind = 'attributes') {
  const ends: string[] = [];
  let news = 0;
  const listener: ObserverListener = { news: () => news++, end: (reason) => ends.push(reason) };
  const observation =
    kind === 'attributes'
      ? (await core.attributeUpdates.observe(session, listener)).observation
      : await core.rpcDelivery.observe(session, listener);
  return {
    ends,
    get news() {
      return news;
    },
    next: () => observation.next(),
    begin: () => observation.begin(),
    close: () => observation.close(),
  };
}

async function begun(core: Core, kind?: ObservedKind) {
  const observation = await observe(core, kind);
  observation.begin();
  return observation;
}

const share = (value: string) =>
  used.core.attributes.saveFromServer(session.deviceId, 'SHARED', entriesOf({ k: value }));
const watched = () => used.gauge('tandem_devices_watched');

describe.each<ObservedKind>(['attributes', 'rpc'])('The observation of %s of a device', (kind) => {
  const other = kind === 'attributes' ? 'rpc' : 'attributes';

  it('ends when another process takes it over, and says nothing more', async () => {
    const older = await begun(here, kind);
    const beside = await begun(here, other);
    const newer = await begun(there, kind);
    await used.quiet();
    expect([older.ends, newer.ends, beside.ends]).toEqual([['superseded'], [], []]);
    await share('1');
    expect(await older.next()).toBeUndefined();
  });

  it('ends when one of the same process begins, and not before: that may come to nothing', async () => {
    const older = await begun(here, kind);
    const refused = await observe(here, kind);
    await used.quiet();
    refused.close();
    expect(older.ends).toEqual([]);
    const newer = await observe(here, kind);
    expect(older.ends).toEqual([]);
    newer.begin();
    expect([older.ends, newer.ends]).toEqual([['superseded'], []]);
  });

  it('is forgotten when it is closed, and does not take a newer one with it', async () => {
    const [older, newer] = [await begun(here, kind), await begun(here, kind)];
    older.close();
    const newest = await begun(here, kind);
    expect([newer.ends, newest.ends]).toEqual([['superseded'], []]);
    newer.close();
    newest.close();
    expect(watched()).toBe(0);
    const next = await begun(here, kind);
    expect([older.ends, newest.ends, next.ends]).toEqual([['superseded'], [], []]);
  });

  it('is one, however many processes register at the same time', async () => {
    const cores = [here, there, used.another(), used.another(), here, there];
    const observations = await Promise.all(cores.map((core) => begun(core, kind)));
    await used.quiet();
    expect(observations.filter(({ ends }) => ends.length === 0)).toHaveLength(1);
    const again = await begun(used.another(), kind);
    await used.quiet();
    expect(observations.map(({ ends }) => ends)).toEqual(cores.map(() => ['superseded']));
    expect(again.ends).toEqual([]);
  });

  it('that was taken over before it began is over, and ends nobody', async () => {
    const older = await begun(there, kind);
    const slow = await observe(here, kind);
    const newer = await begun(there, kind);
    await used.quiet();
    slow.begin();
    expect([older.ends, slow.ends, newer.ends]).toEqual([['superseded'], ['superseded'], []]);
  });

  it('holds nothing when it cannot be announced, and leaves the one that is there', async () => {
    const older = await begun(here, kind);
    const before = watched();
    const away = used.another((state) => ({
      ...state,
      events: over(state.events, { setObserver: () => Promise.reject(new TandemError('STORE_UNAVAILABLE')) }),
    }));
    await expect(observe(away, kind)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await used.quiet();
    expect(older.ends).toEqual([]);
    expect(watched()).toBe(before);
    older.close();
    expect(watched()).toBe(0);
  });

  it('holds nothing when its beginning cannot be read', async () => {
    const away = used.another((state) => ({
      ...state,
      attributes: over(state.attributes, {
        snapshotShared: () => Promise.reject(new TandemError('STORE_UNAVAILABLE')),
      }),
      rpcs: over(state.rpcs, { nextRequestId: () => Promise.reject(new TandemError('STORE_UNAVAILABLE')) }),
    }));
    await expect(observe(away, kind)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await used.quiet();
    expect(watched()).toBe(0);
  });

  it('goes on when wake-ups mean nothing or cannot be looked into, and hears the next one', async () => {
    let failing = false;
    const shaky = used.another((state) => ({
      ...state,
      events: over(state.events, {
        getObserver: (...given) =>
          failing ? Promise.reject(new TandemError('STORE_UNAVAILABLE')) : state.events.getObserver(...given),
      }),
    }));
    const older = await begun(shaky, kind);
    for (let n = 0; n < 3; n++) used.wakeAll();
    await used.quiet();
    expect(older.ends).toEqual([]);
    failing = true;
    await begun(there, kind);
    await used.quiet();
    expect(older.ends).toEqual([]);
    failing = false;
    used.wakeAll();
    await used.quiet();
    expect(older.ends).toEqual(['superseded']);
  });

  it('ends once, whatever else comes after it', async () => {
    const older = await begun(here, kind);
    await begun(there, kind);
    await used.quiet();
    await used.core.devices.delete(used.tenantId, session.deviceId);
    expect(older.ends).toEqual(['superseded']);
  });
});

describe('An observation of attributes', () => {
  it('asks for the newest one once at a time, however many wake-ups come', async () => {
    let asked = 0;
    const counting = used.another((state) => ({
      ...state,
      events: over(state.events, {
        getObserver: (...given) => {
          asked++;
          return state.events.getObserver(...given);
        },
      }),
    }));
    const observation = await begun(counting);
    asked = 0;
    for (let n = 0; n < 100; n++) used.wakeAll();
    await used.quiet();
    expect(asked).toBeLessThanOrEqual(2);
    expect(observation.news).toBe(100);
  });

  describe('whose announcement takes its time', () => {
    let announced: Core;
    let gate: () => void;
    /** @param when the store hears of it before it answers, or not before the gate opens */
    const slow = (when: 'answers late' | 'hears late') => {
      const opened = new Promise<void>((resolve) => {
        gate = resolve;
      });
      announced = used.another((state) => ({
        ...state,
        events: over(state.events, {
          async setObserver(...given) {
            if (when === 'hears late') await opened;
            await state.events.setObserver(...given);
            if (when === 'answers late') await opened;
          },
        }),
      }));
    };

    it('is over when another one came after it', async () => {
      slow('answers late');
      const registering = observe(announced);
      await used.quiet();
      const newer = await begun(there);
      await used.quiet();
      gate();
      const late = await registering;
      await used.quiet();
      expect([late.ends, newer.ends]).toEqual([['superseded'], []]);
    });

    it('is the one when another one came before it', async () => {
      slow('hears late');
      const registering = observe(announced);
      await used.quiet();
      const older = await begun(there);
      await used.quiet();
      gate();
      const newest = await registering;
      await used.quiet();
      expect([older.ends, newest.ends]).toEqual([['superseded'], []]);
    });
  });
});
