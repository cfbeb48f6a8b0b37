import type { Core } from '../core';
import { over, PollUnderTest, useCore } from '../devices/testing/core-under-test';
import type { DeviceSession } from './device-session';

const used = useCore({ TANDEM_RATE_LIMIT_DEVICE_MSGS: '1000:60' });
const takeAway = ({ deviceId }: DeviceSession) =>
  used.core.devices.updateCredentials(used.tenantId, deviceId, {
    credentialsType: 'ACCESS_TOKEN',
    credentialsId: 'another',
  });
const remove = ({ deviceId }: DeviceSession) => used.core.devices.delete(used.tenantId, deviceId);

describe('A session that ended before anybody listened', () => {
  it('is told to have ended to who listens then', async () => {
    const [changed, deleted] = [await used.device('changed'), await used.device('deleted')];
    const gone = await used.device('gone');
    await takeAway(changed);
    await remove(deleted);
    await remove(gone);
    const [first, second, stopped] = [jest.fn(), jest.fn(), jest.fn()];
    used.core.auth.onSessionEnd(changed, first);
    used.core.auth.onSessionEnd(deleted, second);
    used.core.auth.onSessionEnd(gone, stopped)();
    expect([first, second].flatMap(({ mock }) => mock.calls)).toEqual([]);
    await used.quiet();
    expect([first.mock.calls, second.mock.calls]).toEqual([[['credentials']], [['deleted']]]);
    expect(stopped).not.toHaveBeenCalled();
  });

  it('ends a poll that opens with it', async () => {
    const session = await used.device('old');
    await takeAway(session);
    const poll = new PollUnderTest((done) => used.core.attributeUpdates.openPoll(session, 600_000, done));
    await used.quiet();
    expect(poll.outcome).toEqual({ kind: 'expired' });
  });

  it('ends an observation that opens with it', async () => {
    const session = await used.device('old');
    await takeAway(session);
    for (const updates of [used.core.attributeUpdates, used.core.rpcDelivery]) {
      const onEnd = jest.fn();
      const opened = await updates.observe(session, { news() {}, end: onEnd }).catch(() => undefined);
      await used.quiet();
      expect(onEnd.mock.calls).toEqual([['credentials']]);
      if (opened) ('observation' in opened ? opened.observation : opened).close();
    }
  });

  it('goes on where only the name of the device is another one', async () => {
    const session = await used.device('named');
    await used.core.devices.update(used.tenantId, { id: session.deviceId, name: 'renamed' });
    const heard = jest.fn();
    used.core.auth.onSessionEnd(session, heard);
    await used.quiet();
    expect(heard).not.toHaveBeenCalled();
  });
});

it('A session of which no change was heard is not read from the store again', async () => {
  let reads = 0;
  const core = used.another((state) => ({
    ...state,
    devices: over(state.devices, {
      getCredentials(deviceId) {
        reads++;
        return state.devices.getCredentials(deviceId);
      },
    }),
  }));
  await used.device('token');
  for (const session of [await core.auth.resolve('token'), core.auth.cached('token')]) {
    if (!session) throw new Error('not cached');
    core.auth.onSessionEnd(session, () => {})();
    core.auth.onSessionEnd(session, () => {});
  }
  await used.quiet();
  expect(reads).toBe(0);
});

describe('While it is asked whether a registration is one too many', () => {
  let core: Core;
  /** Answers for the rate limit. */
  let answer: () => void;
  beforeEach(() => {
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    core = used.another((state) => ({
      ...state,
      rateCounters: over(state.rateCounters, { take: () => answered.then(() => ({ ok: true })) }),
    }));
  });

  it.each([
    ['attributes', takeAway, 'credentials'],
    ['attributes', remove, 'deleted'],
    ['commands', takeAway, 'credentials'],
    ['commands', remove, 'deleted'],
  ] as const)('a session that ends gets no observation of %s, and takes nobody’s place', async (of, end, reason) => {
    await used.device('old');
    const session = await core.auth.resolve('old');
    const updates = of === 'attributes' ? core.attributeUpdates : core.rpcDelivery;
    const onEnd = jest.fn();
    const refused = expect(updates.observe(session, { news() {}, end: onEnd })).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
    });
    await end(session);
    answer();
    await refused;
    expect(onEnd.mock.calls).toEqual([[reason]]);
    const kind = of === 'attributes' ? 'attributes' : 'rpc';
    expect(await core.state.events.getObserver(session.deviceId, kind)).toBeUndefined();
  });
});
