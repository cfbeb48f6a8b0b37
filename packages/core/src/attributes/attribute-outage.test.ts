import type { DeviceSession } from '../auth/device-session';
import type { Core } from '../core';
import { over, PollUnderTest, useCore } from '../devices/testing/core-under-test';
import { TandemError } from '../errors';
import type { Position } from '../state/device-events';
import type { State } from '../state/state';
import { entriesOf } from '../testing/builders';

const used = useCore();
let session: DeviceSession;
beforeEach(async () => {
  session = await used.device('polling');
});

const poll = (core: Core, timeout = 60_000) =>
  new PollUnderTest((done) => core.attributeUpdates.openPoll(session, timeout, done));
const share = (values: Record<string, string>) =>
  used.core.attributes.saveFromServer(session.deviceId, 'SHARED', entriesOf(values));

/** A poll that waits: it has read, and has left its place. */
async function waiting(core: Core, timeout?: number): Promise<PollUnderTest> {
  const open = poll(core, timeout);
  await used.quiet();
  expect(open.outcome).toBeUndefined();
  return open;
}

describe('A poll over a store that goes away and comes back', () => {
  let away: boolean;
  let core: Core;
  const unlessAway = <T>(call: () => Promise<T>): Promise<T> =>
    away ? Promise.reject(new TandemError('STORE_UNAVAILABLE')) : call();
  beforeEach(() => {
    away = false;
    core = used.another((state) => ({
      ...state,
      events: over(state.events, {
        read: (...given) => unlessAway(() => state.events.read(...given)),
        setCursor: (...given) => unlessAway(() => state.events.setCursor(...given)),
      }),
    }));
  });

  it('stays, and gets what was shared meanwhile', async () => {
    const open = await waiting(core);
    away = true;
    used.wakeAll();
    await share({ k: '1' });
    await used.quiet();
    expect(open.outcome).toBeUndefined();
    away = false;
    used.clock.advance(1_500);
    expect(await open.delivered()).toBe('{"k":1}');
  });

  it('that expires meanwhile leaves its place all the same', async () => {
    const open = await waiting(core, 5_000);
    away = true;
    used.wakeAll();
    await share({ k: '1' });
    used.clock.advance(5_000);
    expect(await open.ended).toEqual({ kind: 'expired' });
    away = false;
    expect(await poll(core).delivered()).toBe('{"k":1}');
  });

  it('ends when it comes while the store is away', async () => {
    away = true;
    expect(await poll(core).ended).toMatchObject({ kind: 'failed', error: { code: 'STORE_UNAVAILABLE' } });
  });

  it('writes a line now and then, not one for each poll', async () => {
    const polls = await Promise.all([1, 2, 3].map(() => waiting(core, 30_000)));
    away = true;
    for (const { poll } of polls) poll.cancel();
    await used.quiet();
    const lines = () => used.log.filter(({ message }) => message === 'cursor not written');
    expect(lines()).toEqual([
      {
        level: 'error',
        message: 'cursor not written',
        fields: { deviceId: session.deviceId, error: 'TandemError: The store does not answer' },
      },
    ]);
    away = false;
    const late = await waiting(core);
    away = true;
    used.clock.advance(10_000);
    late.poll.cancel();
    await used.quiet();
    expect(lines()[1]?.fields).toMatchObject({ suppressed: 2 });
  });
});

describe('A poll over a store that takes no writes', () => {
  const full = (setCursor: () => Promise<void>) =>
    used.another((state) => ({ ...state, events: over(state.events, { setCursor }) }));
  const refused = () => Promise.reject(new TandemError('STORE_UNAVAILABLE'));

  it('fails at once, for it could not leave a place', async () => {
    const open = poll(full(refused));
    await used.quiet();
    expect(open.outcome).toMatchObject({ kind: 'failed', error: { code: 'STORE_UNAVAILABLE' } });
  });

  it('does not expire before it is known whether its place was taken down', async () => {
    let refuse = () => {};
    const open = await waiting(
      full(() => new Promise((_, reject) => (refuse = () => reject(new TandemError('STORE_UNAVAILABLE'))))),
      1_000,
    );
    used.clock.advance(1_000);
    await used.quiet();
    expect(open.outcome).toBeUndefined();
    refuse();
    expect(await open.ended).toMatchObject({ kind: 'failed', error: { code: 'STORE_UNAVAILABLE' } });
  });

  it('gets what is there although its place cannot be taken down', async () => {
    (await waiting(used.core)).poll.cancel();
    await used.quiet();
    await share({ k: '1' });
    expect(await poll(full(refused)).delivered()).toBe('{"k":1}');
  });

  it('gets what comes without waiting for its place', async () => {
    const open = await waiting(full(() => new Promise(() => {})));
    await share({ k: '1' });
    expect(await open.delivered()).toBe('{"k":1}');
  });
});

describe('A poll over a store that was restarted', () => {
  /** The positions of an earlier life of the server say nothing to the next one. */
  let life: number;
  /** The one that the kept cursor is of. */
  let cursorLife: number;
  let core: Core;
  const outside = ({ epoch, offset }: Position): Position => ({
    epoch: epoch === '-' ? epoch : `${epoch}.${life}`,
    offset,
  });
  const inside = ({ epoch, offset }: Position): Position => {
    const [log, of] = epoch.split('.');
    return { epoch: of === `${life}` && log ? log : 'former', offset };
  };
  const mortal = (state: State): State => {
    const { events, attributes } = state;
    return {
      ...state,
      events: over(events, {
        head: async (id) => outside(await events.head(id)),
        read: async (id, after, limit) => {
          const read = await events.read(id, inside(after), limit);
          return read.kind === 'gap'
            ? { ...read, head: outside(read.head) }
            : { ...read, epoch: outside({ epoch: read.epoch, offset: 0 }).epoch };
        },
        getCursor: async (id, now) => {
          const cursor = await events.getCursor(id, now);
          return cursor && { epoch: `${cursor.epoch}.${cursorLife}`, offset: cursor.offset };
        },
        setCursor: async (id, position, now, ttl) => {
          if (inside(position).epoch !== 'former') cursorLife = life;
          await events.setCursor(id, inside(position), now, ttl);
        },
      }),
      attributes: over(attributes, {
        snapshotShared: async (id) => {
          const snapshot = await attributes.snapshotShared(id);
          return { ...snapshot, position: outside(snapshot.position) };
        },
      }),
    };
  };
  beforeEach(() => {
    life = 1;
    cursorLife = 0;
    core = used.another(mortal);
  });
  const restart = async () => {
    life++;
    used.wakeAll();
    await used.quiet();
  };

  it('goes on waiting when there is nothing to tell, gets what comes then, and says nothing of it', async () => {
    const open = await waiting(core);
    await restart();
    expect(open.outcome).toBeUndefined();
    await share({ k: '1' });
    await share({ l: '2' });
    expect(await open.delivered()).toBe('{"k":1}');
    await used.quiet();
    expect(await poll(core).delivered()).toBe('{"l":2}');
    expect(used.log).toEqual([]);
  });

  it('has its place in the new log, also when its process dies before the poll ends', async () => {
    await waiting(core);
    await restart();
    await share({ k: '1' });
    await share({ l: '2' });
    expect(await poll(used.another(mortal)).delivered()).toBe('{"k":1}');
  });

  it('gets the full state when there is something to tell', async () => {
    await share({ old: '1' });
    const open = await waiting(core);
    await restart();
    expect(await open.delivered()).toBe('{"old":1}');
  });

  it('is not told of a device that is gone, although not all of it has been cleared away', async () => {
    await share({ old: '1' });
    const gone = { epoch: '-', offset: 0 };
    let deleted = false;
    const open = await waiting(
      used.another((state) => ({
        ...state,
        events: over(state.events, {
          read: async (...given) => (deleted ? { kind: 'gap', head: gone, kept: [] } : state.events.read(...given)),
        }),
        attributes: over(state.attributes, {
          snapshotShared: async (id) => ({
            ...(await state.attributes.snapshotShared(id)),
            ...(deleted ? { position: gone } : {}),
          }),
        }),
      })),
    );
    deleted = true;
    used.wakeAll();
    await used.quiet();
    expect(open.outcome).toBeUndefined();
    await used.core.state.devices.deleteDevice(session.deviceId);
    used.missChanges();
    expect(await open.ended).toEqual({ kind: 'deleted' });
  });
});
