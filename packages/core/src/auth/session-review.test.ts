import type { Core } from '../core';
import { over, PollUnderTest, useCore } from '../devices/testing/core-under-test';
import { TandemError } from '../errors';
import type { DeviceSession } from './device-session';

describe('After changes that may have gone by unheard', () => {
  const used = useCore();
  /** A process that hears of no change, whose store fails when the test says so. */
  let core: Core;
  let failing: boolean;
  let reads: number;
  let underWay: number;
  let mostUnderWay: number;
  /** What is read arrives no earlier than this. */
  let arrival: Promise<void> | undefined;
  beforeEach(() => {
    arrival = undefined;
    failing = false;
    reads = 0;
    underWay = 0;
    mostUnderWay = 0;
    core = used.another((state) => {
      const { devices } = state;
      return {
        ...state,
        devices: over(devices, {
          onSessionChange: (listener) =>
            devices.onSessionChange((change) => {
              if (change.kind === 'missed') listener(change);
            }),
          async getCredentials(deviceId) {
            reads++;
            mostUnderWay = Math.max(mostUnderWay, ++underWay);
            try {
              if (failing) throw new TandemError('STORE_UNAVAILABLE');
              const stored = await devices.getCredentials(deviceId);
              await (arrival ?? new Promise((resolve) => setImmediate(resolve)));
              return stored;
            } finally {
              underWay--;
            }
          },
        }),
      };
    });
  });

  const device = async (token: string): Promise<DeviceSession> => {
    await used.device(token);
    return core.auth.resolve(token);
  };
  const poll = (session: DeviceSession) =>
    new PollUnderTest((done) => core.attributeUpdates.openPoll(session, 600_000, done));
  const change = ({ deviceId }: DeviceSession, credentialsId: string) =>
    used.core.devices.updateCredentials(used.tenantId, deviceId, { credentialsType: 'ACCESS_TOKEN', credentialsId });
  const remove = ({ deviceId }: DeviceSession) => used.core.devices.delete(used.tenantId, deviceId);
  const toReview = () => core.metrics.value('tandem_sessions_to_review');
  const reviewed = async () => {
    used.missChanges();
    await used.quiet();
  };

  it('a poll goes on when nothing changed, or nothing that it was made from', async () => {
    const session = await device('same');
    const waiting = poll(session);
    await used.core.devices.update(used.tenantId, { id: session.deviceId, name: 'renamed' });
    await reviewed();
    expect(reads).toBe(1);
    expect(waiting.outcome).toBeUndefined();
  });

  it('a poll ends when its credentials are others, also with the same token again', async () => {
    const [session, other] = [await device('changed'), await device('back')];
    const polls = [poll(session), poll(other)];
    await change(session, 'another');
    await change(other, 'meanwhile');
    await change(other, 'back');
    expect(polls.map(({ outcome }) => outcome)).toEqual([undefined, undefined]);
    expect(core.auth.cached('changed')).toBeDefined();
    await reviewed();
    expect(polls.map(({ outcome }) => outcome)).toEqual([{ kind: 'expired' }, { kind: 'expired' }]);
    expect(core.auth.cached('changed')).toBeUndefined();
  });

  it('a poll of a device that is gone ends as deleted, and an observation hears it', async () => {
    const session = await device('gone');
    const onEnd = jest.fn();
    const observation = await core.rpcDelivery.observe(session, { news() {}, end: onEnd });
    const waiting = poll(session);
    await remove(session);
    await reviewed();
    expect(waiting.outcome).toEqual({ kind: 'deleted' });
    expect(onEnd.mock.calls).toEqual([['deleted']]);
    observation.close();
  });

  it('one read for each device does, a few at a time', async () => {
    const sessions: DeviceSession[] = [];
    for (let n = 0; n < 40; n++) sessions.push(await device(`device ${n}`));
    const polls = sessions.flatMap((session) => [poll(session), poll(session)]);
    used.missChanges();
    expect(toReview()).toBe(40 - mostUnderWay);
    while (toReview() || underWay > 0) await used.quiet();
    expect(reads).toBe(40);
    expect(mostUnderWay).toBeLessThanOrEqual(16);
    expect(polls.every(({ outcome }) => outcome === undefined)).toBe(true);
  });

  it('what the store cannot tell is asked again later', async () => {
    const session = await device('late');
    const waiting = poll(session);
    await remove(session);
    failing = true;
    await reviewed();
    expect(reads).toBe(1);
    expect(toReview()).toBe(1);
    failing = false;
    used.clock.advance(2_000);
    await used.quiet();
    expect(waiting.outcome).toEqual({ kind: 'deleted' });
    expect(toReview()).toBe(0);
    expect(used.clock.timers).toBe(0);
  });

  it('and at once when the store says so again', async () => {
    const session = await device('late');
    const waiting = poll(session);
    await remove(session);
    failing = true;
    await reviewed();
    failing = false;
    await reviewed();
    expect(waiting.outcome).toEqual({ kind: 'deleted' });
    expect(used.clock.timers).toBe(0);
  });

  it('nothing is asked, and no timer held, for those who do not wait any more', async () => {
    const waiting = poll(await device('gone away'));
    await used.quiet();
    failing = true;
    await reviewed();
    waiting.poll.cancel();
    await used.quiet();
    expect(toReview()).toBe(0);
    expect(used.clock.timers).toBe(0);
    used.clock.advance(2_000);
    expect(reads).toBe(1);
  });

  it('who comes with new credentials while the old ones are looked at goes on', async () => {
    const session = await device('old');
    const waiting = poll(session);
    let arrive = () => {};
    arrival = new Promise((resolve) => {
      arrive = resolve;
    });
    used.missChanges();
    await change(session, 'new');
    const fresh = poll(await core.auth.resolve('new'));
    arrive();
    await used.quiet();
    expect(fresh.outcome).toBeUndefined();
    arrival = undefined;
    await reviewed();
    expect([waiting.outcome, fresh.outcome]).toEqual([{ kind: 'expired' }, undefined]);
  });
});
