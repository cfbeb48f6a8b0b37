import type { DeviceSession } from '../auth/device-session';
import type { Core } from '../core';
import { over, PollUnderTest, useCore } from '../devices/testing/core-under-test';
import { TandemError } from '../errors';
import type { Millis } from '../platform/clock';
import type { RpcStatus } from '../state/rpc-store';
import type { RpcObservation } from './rpc-delivery';

/** What `POLL_HOLD` and, for observations, `COAP_TIMEOUT` with its margin come to. */
const POLL_HOLD: Millis = 10_000;
const OBSERVER_HOLD: Millis = 5_000 + 2_000;
const LIFE: Millis = 60_000;
const POLL: Millis = 50_000;

const used = useCore({ COAP_TIMEOUT: '5000', TANDEM_RPC_MAX_PENDING: '1000' });
let session: DeviceSession;
let here: Core;
let there: Core;
beforeEach(async () => {
  session = await used.device('commanded');
  here = used.core;
  there = used.another();
});

const poll = (core: Core) => new PollUnderTest((done) => core.rpcDelivery.openPoll(session, POLL, done));
const observe = (core: Core, onCommand = () => {}) => core.rpcDelivery.observe(session, { news: onCommand, end() {} });

async function send(given: { oneway?: boolean; persistent?: boolean } = {}): Promise<string> {
  const id = used.core.random.uuid();
  const { tenantId, deviceId } = session;
  const call = { tenantId, deviceId, oneway: true, method: 'm', params: '1', timeout: LIFE, requestUuid: id };
  here.rpcCalls.send({ ...call, ...given }).catch(() => {});
  await used.quiet();
  return id;
}

const status = async (id: string): Promise<RpcStatus | undefined> => {
  await used.quiet();
  return (await here.state.rpcs.get(id))?.status;
};

async function take(observation: RpcObservation) {
  const command = await observation.next();
  if (!command) throw new Error('there was no command');
  return command;
}

/** A poll that still waits. */
async function waits(waiting: PollUnderTest): Promise<void> {
  await used.quiet();
  expect(waiting.outcome).toBeUndefined();
}

describe('A one-way command at two processes', () => {
  it('goes to one of the polls that come after it, and to no later one', async () => {
    const id = await send();
    const polls = [poll(here), poll(there), poll(here), poll(there)];
    await used.quiet();
    const got = polls.filter(({ outcome }) => outcome);
    expect(got).toHaveLength(1);
    await got[0]?.delivered();
    expect(await status(id)).toBe('DELIVERED');
    for (const other of polls) if (other !== got[0]) await waits(other);
    used.clock.advance(POLL_HOLD);
    for (const other of polls) if (other !== got[0]) await waits(other);
    await waits(poll(there));
  });

  it('goes to every poll and observation that was there before it, at both', async () => {
    const polls = [poll(here), poll(there)];
    const observation = await observe(there);
    await used.quiet();
    const id = await send();
    const late = poll(there);
    for (const early of polls) expect(await early.delivered()).toContain('"id":0');
    await used.quiet();
    expect((await take(observation)).message.payload).toContain('"id":0');
    expect(await status(id)).toBe('DELIVERED');
    await waits(late);
  });

  it('each goes out once to polls that alternate between both', async () => {
    for (let n = 0; n < 6; n++) await send();
    const seen: unknown[] = [];
    for (let n = 0; n < 6; n++) seen.push(JSON.parse(await poll(n % 2 === 0 ? here : there).delivered()).id);
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('is delivered by the other process when the one that had it for a poll died, and not before', async () => {
    const id = await send();
    await poll(here).event();
    const waiting = poll(there);
    await waits(waiting);
    used.clock.advance(POLL_HOLD - 1);
    await waits(waiting);
    used.clock.advance(1);
    expect(await waiting.delivered()).toContain('"id":0');
    expect(await status(id)).toBe('DELIVERED');
    expect(used.gauge('tandem_devices_watched')).toBe(0);
  });

  it.each([
    ['before its notification was sent', () => {}, 'QUEUED'],
    ['before the acknowledgement', (command: { sent(): void }) => command.sent(), 'SENT'],
  ])('is delivered by the other when an observation died %s', async (_when, reach, left) => {
    const id = await send();
    const dying = await observe(here);
    reach(await take(dying));
    expect(await status(id)).toBe(left);
    let heard = 0;
    const observation = await observe(there, () => heard++);
    const waiting = poll(there);
    expect(await observation.next()).toBeUndefined();
    await waits(waiting);
    heard = 0;
    used.clock.advance(OBSERVER_HOLD - 1);
    await waits(waiting);
    expect(heard).toBe(0);
    used.clock.advance(1);
    expect(heard).toBe(1);
    expect(await waiting.delivered()).toContain('"id":0');
    expect(await status(id)).toBe('DELIVERED');
    expect(await observation.next()).toBeUndefined();
  });

  it('that is persistent is tried by the other after a time-out, while the first still holds its observation', async () => {
    const id = await send({ persistent: true });
    const observation = await observe(here);
    const command = await take(observation);
    const waiting = poll(there);
    command.sent();
    await waits(waiting);
    command.lapsed();
    expect(await waiting.delivered()).toContain('"id":0');
    expect(await status(id)).toBe('DELIVERED');
    expect(await observation.next()).toBeUndefined();
  });

  it('is the other’s at once when it could not be written, or came back', async () => {
    const id = await send();
    const broken = await poll(here).event();
    const waiting = poll(there);
    await waits(waiting);
    broken.settled(false);
    (await waiting.event()).settled(false);
    await used.quiet();
    const command = await take(await observe(there));
    command.sent();
    expect(await status(id)).toBe('SENT');
    const last = poll(here);
    await waits(last);
    command.returned();
    expect(await last.delivered()).toContain('"id":0');
  });

  it('a waiter that got it without the hold does not take it from the one that holds it', async () => {
    const [one, other] = [poll(here), poll(there)];
    await used.quiet();
    await send();
    const [held, free] = [await one.event(), await other.event()];
    const late = poll(here);
    free.settled(false);
    await waits(late);
    held.settled(true);
    await waits(late);
  });

  it('who lets go of it after his time does not let go of the next one’s', async () => {
    await send();
    const slow = await poll(here).event();
    used.clock.advance(POLL_HOLD);
    const next = await poll(there).event();
    slow.settled(false);
    const late = poll(here);
    await waits(late);
    next.settled(true);
    await waits(late);
  });

  it('is not handed out twice, nor is a store asked without end, by wake-ups that mean nothing', async () => {
    let asked = 0;
    const counting = used.another((state) => ({
      ...state,
      rpcs: over(state.rpcs, {
        open: (...given) => {
          asked++;
          return state.rpcs.open(...given);
        },
      }),
    }));
    const id = await send();
    const held = await poll(here).event();
    const waiting = poll(counting);
    await waits(waiting);
    const observation = await observe(counting);
    const got: unknown[] = [];
    asked = 0;
    for (let n = 1; n <= 5; n++) {
      used.wakeAll();
      await waits(waiting);
      got.push(await observation.next());
      expect(asked).toBe(2 * n);
    }
    expect(got).toEqual([undefined, undefined, undefined, undefined, undefined]);
    held.settled(true);
    expect(await status(id)).toBe('DELIVERED');
    used.wakeAll();
    await waits(waiting);
    waiting.poll.cancel();
    observation.close();
  });

  it('is not lost to a poll that waits for it and cannot hold it while the store is away', async () => {
    let away = false;
    const shaky = used.another((state) => ({
      ...state,
      rpcs: over(state.rpcs, {
        hold: (...given) => (away ? Promise.reject(new TandemError('STORE_UNAVAILABLE')) : state.rpcs.hold(...given)),
      }),
    }));
    const id = await send();
    const first = await poll(there).event();
    const second = poll(shaky);
    await waits(second);
    away = true;
    first.settled(false);
    await waits(second);
    away = false;
    used.clock.advance(1_500);
    expect(await second.delivered()).toContain('"id":0');
    expect(await status(id)).toBe('DELIVERED');
  });

  it('reaches who was there before it also when it cannot be held', async () => {
    const lame = used.another((state) => ({
      ...state,
      rpcs: over(state.rpcs, { hold: () => Promise.reject(new TandemError('STORE_UNAVAILABLE')) }),
    }));
    const early = poll(lame);
    await used.quiet();
    await send();
    expect(await early.delivered()).toContain('"id":0');
    await send();
    expect(await poll(lame).ended).toMatchObject({ kind: 'failed', error: { code: 'STORE_UNAVAILABLE' } });
    expect(await poll(there).delivered()).toContain('"id":1');
  });

  it('that an observer has acknowledged while the store was away is told as delivered when it is back', async () => {
    let away = false;
    const cut = used.another((state) => ({
      ...state,
      rpcs: over(state.rpcs, {
        transition: (...change) =>
          away ? Promise.reject(new TandemError('STORE_UNAVAILABLE')) : state.rpcs.transition(...change),
      }),
    }));
    const observation = await observe(cut);
    const id = await send({ persistent: true });
    const command = await take(observation);
    command.sent();
    expect(await status(id)).toBe('SENT');
    away = true;
    command.delivered();
    await used.quiet();
    used.clock.advance(1_000);
    expect(await status(id)).toBe('SENT');
    expect(cut.rpcDelivery.untold).toBe(1);
    away = false;
    used.clock.advance(1_000);
    expect(await status(id)).toBe('DELIVERED');
    expect(cut.rpcDelivery.untold).toBe(0);
    expect(used.clock.timers).toBe(0);
    observation.close();
  });

  it('holds no timer for waiters that went away', async () => {
    await send({ persistent: true });
    await poll(here).event();
    const waiting = poll(there);
    const observation = await observe(there);
    expect(await observation.next()).toBeUndefined();
    await waits(waiting);
    waiting.poll.cancel();
    observation.close();
    expect(used.clock.timers).toBe(0);
    expect(used.gauge('tandem_devices_watched')).toBe(0);
  });
});

describe('A two-way command at two processes', () => {
  it('is had by both until it is answered, and nobody holds it', async () => {
    let held = 0;
    const counting = used.another((state) => ({
      ...state,
      rpcs: over(state.rpcs, {
        hold: (...given) => {
          held++;
          return state.rpcs.hold(...given);
        },
      }),
    }));
    const id = await send({ oneway: false });
    expect(await poll(here).delivered()).toContain('"id":0');
    expect(await poll(counting).delivered()).toContain('"id":0');
    await there.rpcCalls.reply(session, 0, Buffer.from('1'), 'any');
    expect(await status(id)).toBe('SUCCESSFUL');
    expect(held).toBe(0);
    await waits(poll(counting));
  });
});
