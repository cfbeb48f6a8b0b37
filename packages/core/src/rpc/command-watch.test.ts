import type { DeviceSession } from '../auth/device-session';
import type { Core } from '../core';
import { over, PollUnderTest, useCore } from '../devices/testing/core-under-test';
import { TandemError } from '../errors';
import type { RpcOutcome } from './rpc-calls';

const used = useCore({ MIN_SERVER_SIDE_RPC_TIMEOUT: '1' });
let session: DeviceSession;
let reads: number;
let away: boolean;
let core: Core;
beforeEach(async () => {
  session = await used.device('commanded');
  reads = 0;
  away = false;
  core = used.another((state) => {
    const counted = <A extends unknown[], R>(read: (...given: A) => Promise<R>) => {
      return async (...given: A): Promise<R> => {
        reads++;
        if (away) throw new TandemError('STORE_UNAVAILABLE');
        return read(...given);
      };
    };
    const { rpcs } = state;
    return {
      ...state,
      rpcs: over(rpcs, { get: counted(rpcs.get.bind(rpcs)), open: counted(rpcs.open.bind(rpcs)) }),
    };
  });
});

function send(caller?: AbortSignal): Promise<RpcOutcome> {
  const { tenantId, deviceId } = session;
  return core.rpcCalls.send({ tenantId, deviceId, oneway: false, method: 'm', params: '1', timeout: 60_000 }, caller);
}

const answer = (requestId: number) =>
  used.core.rpcCalls.reply(session, requestId, Buffer.from(String(requestId)), 'any');

/** Resolves when the callers have seen what there is to be seen. */
async function seen(): Promise<void> {
  await used.quiet();
  used.clock.advance(100);
  await used.quiet();
}

describe('Callers that wait at one device', () => {
  it('each get their answer, and reading does not grow with their number times the number of answers', async () => {
    const CALLERS = 300;
    const outcomes = Array.from({ length: CALLERS }, () => send());
    await seen();
    reads = 0;
    for (let requestId = 0; requestId < CALLERS; requestId++) {
      await answer(requestId);
      used.clock.advance(1);
    }
    await seen();
    const ids = (await Promise.all(outcomes)).map((outcome) => outcome.kind === 'answered' && outcome.response);
    expect(ids.map(Number)).toEqual(Array.from({ length: CALLERS }, (_, n) => n));
    // One for each that has ended, and those of all together.
    expect(reads).toBeLessThan(CALLERS * 2);
    expect(used.clock.timers).toBe(0);
    expect(used.gauge('tandem_devices_watched')).toBe(0);
  });

  it('are not told of a failure while the store is away: they get the answer when it is back', async () => {
    const outcome = send();
    await seen();
    away = true;
    await answer(0);
    await seen();
    away = false;
    used.clock.advance(1_000);
    expect(await outcome).toMatchObject({ kind: 'answered', response: '0' });
  });

  it('are told that the store is away when their time is over', async () => {
    const refused = expect(send()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await seen();
    away = true;
    used.clock.advance(61_000);
    await refused;
    expect(used.clock.timers).toBe(0);
  });

  it('read once for many wake-ups that mean nothing', async () => {
    const outcomes = [send(), send()];
    await seen();
    reads = 0;
    for (let n = 0; n < 50; n++) used.wakeAll();
    await seen();
    expect(reads).toBeLessThanOrEqual(4);
    await answer(0);
    await answer(1);
    expect(await Promise.all(outcomes)).toMatchObject([{ response: '0' }, { response: '1' }]);
  });

  it('hold nothing when the last one goes away, also while it is read for them', async () => {
    const callers = Array.from({ length: 20 }, () => new AbortController());
    const outcomes = callers.map(({ signal }) => send(signal));
    await seen();
    used.wakeAll();
    for (const caller of callers) caller.abort();
    expect(await Promise.all(outcomes)).toEqual(callers.map(() => ({ kind: 'gone' })));
    await used.quiet();
    expect(used.clock.timers).toBe(0);
    expect(used.gauge('tandem_devices_watched')).toBe(0);
  });

  it('a new one is served after all others have gone', async () => {
    const caller = new AbortController();
    const gone = send(caller.signal);
    await seen();
    caller.abort();
    await gone;
    const outcome = send();
    await seen();
    const poll = new PollUnderTest((done) => core.rpcDelivery.openPoll(session, 1_000, done));
    await poll.delivered();
    await answer(1);
    expect(await outcome).toMatchObject({ kind: 'answered', response: '1' });
  });
});
