import type { DeviceSession } from '../auth/device-session';
import type { Core } from '../core';
import { PollUnderTest, useCore } from '../devices/testing/core-under-test';
import type { Millis } from '../platform/clock';
import type { Rpc } from '../state/rpc-store';
import type { RpcCall, RpcOutcome } from './rpc-calls';
import type { RpcObservation } from './rpc-delivery';

const LIFE: Millis = 60_000;
const RESPONSE: Millis = 20_000;
const SETTINGS = { ACTORS_RPC_RESPONSE_TIMEOUT_MS: `${RESPONSE}`, ACTORS_RPC_MAX_RETRIES: '2', COAP_TIMEOUT: '5000' };

/** Two processes over one store, and a device; what `describe` around it does not name goes by the strategy. */
function useSequence(strategy: string) {
  const used = useCore({ ...SETTINGS, ACTORS_RPC_SUBMIT_STRATEGY_TYPE: strategy });
  let session: DeviceSession;
  let here: Core;
  let there: Core;
  beforeEach(async () => {
    session = await used.device('commanded');
    here = used.core;
    there = used.another();
  });

  const rpcOf = async (requestId: number): Promise<Rpc | undefined> => {
    await used.quiet();
    return here.state.rpcs.findByRequestId(session.deviceId, requestId);
  };
  return {
    used,
    /** One-way or two-way, with the method `m0`, `m1` ... of its request id. */
    async send(call: Partial<RpcCall> = {}): Promise<Promise<RpcOutcome>[]> {
      const { tenantId, deviceId } = session;
      const n = await here.state.rpcs.nextRequestId(deviceId);
      const command = { tenantId, deviceId, oneway: false, method: `m${n}`, params: '1', timeout: LIFE };
      const outcome = here.rpcCalls.send({ ...command, ...call });
      outcome.catch(() => {});
      await used.quiet();
      return [outcome];
    },
    poll: (at: 'here' | 'there' = 'here') =>
      new PollUnderTest((done) => (at === 'here' ? here : there).rpcDelivery.openPoll(session, LIFE * 10, done)),
    observe: (at: 'here' | 'there' = 'here', news = () => {}) =>
      (at === 'here' ? here : there).rpcDelivery.observe(session, { news, end() {} }),
    reply: (requestId: number) => there.rpcCalls.reply(session, requestId, Buffer.from('{}'), 'any'),
    rpcOf,
    status: async (requestId: number) => (await rpcOf(requestId))?.status,
    remove: async (requestId: number) => here.state.rpcs.remove((await rpcOf(requestId))?.id ?? ''),
    sweep: () => there.rpcCalls.sweep(10),
  };
}

/** The method of the next command; undefined = there is none. */
async function next(observation: RpcObservation) {
  const command = await observation.next();
  return (
    command && { ...command, method: (JSON.parse(command.message.payload.toString()) as { method: string }).method }
  );
}
const methodOf = async (poll: PollUnderTest) => (JSON.parse(await poll.delivered()) as { method: string }).method;

describe.each(['SEQUENTIAL_ON_ACK_FROM_DEVICE', 'SEQUENTIAL_ON_RESPONSE_FROM_DEVICE'])('With %s', (strategy) => {
  const { used, send, poll, observe, status, remove, sweep, rpcOf } = useSequence(strategy);

  it('an observation gets a command when the one before has arrived, one-way ones in their order', async () => {
    for (let n = 0; n < 3; n++) await send({ oneway: true });
    const observation = await observe();
    for (let n = 0; n < 3; n++) {
      const command = await next(observation);
      expect(command?.method).toBe(`m${n}`);
      command?.sent();
      await used.quiet();
      expect(await next(observation)).toBeUndefined();
      command?.delivered();
      expect(await status(n)).toBe('DELIVERED');
    }
    observation.close();
  });

  it('hears of the next one by itself once the one before has arrived', async () => {
    let news = 0;
    const observation = await observe('here', () => news++);
    await send({ oneway: true });
    await send({ oneway: true });
    const command = await next(observation);
    command?.sent();
    await used.quiet();
    news = 0;
    command?.delivered();
    await used.quiet();
    expect(news).toBeGreaterThan(0);
    expect((await next(observation))?.method).toBe('m1');
  });

  it('a poll at another process waits while a one-way command is in hand at this one', async () => {
    await send({ oneway: true });
    await send({ oneway: true });
    const first = await poll().event();
    const second = poll('there');
    await used.quiet();
    expect(second.outcome).toBeUndefined();
    first.settled(true);
    expect(await methodOf(second)).toBe('m1');
  });

  it('goes on at another process, with the same command, when the one that had it died', async () => {
    await send({ oneway: true });
    await send({ oneway: true });
    await poll().event();
    const second = poll('there');
    await used.quiet();
    used.clock.advance(9_999);
    await used.quiet();
    expect(second.outcome).toBeUndefined();
    used.clock.advance(1);
    expect(await methodOf(second)).toBe('m0');
    await used.quiet();
    expect(await methodOf(poll('there'))).toBe('m1');
  });

  it.each<[how: string, end: () => Promise<unknown>]>([
    ['is deleted', () => remove(0)],
    ['expires', async () => used.clock.advance(5_000)],
    [
      'is swept away',
      async () => {
        used.clock.advance(7_001);
        await sweep();
      },
    ],
  ])('goes on when the command whose turn it is %s', async (_how, end) => {
    await send({ timeout: 5_000, persistent: true });
    await send();
    const observation = await observe('there');
    expect((await next(observation))?.method).toBe('m0');
    await used.quiet();
    expect(await next(observation)).toBeUndefined();
    await end();
    await used.quiet();
    expect((await next(observation))?.method).toBe('m1');
  });

  it('looks again by itself when the command whose turn it is expires', async () => {
    let news = 0;
    const observation = await observe('there', () => news++);
    await send({ timeout: 5_000 });
    await send();
    expect((await next(observation))?.method).toBe('m0');
    expect(await next(observation)).toBeUndefined();
    news = 0;
    used.clock.advance(5_000);
    expect(news).toBe(1);
    expect((await next(observation))?.method).toBe('m1');
  });

  it('a time-out ends the turn of one whose caller has been told', async () => {
    await send();
    await send();
    const observation = await observe();
    (await next(observation))?.lapsed();
    expect(await status(0)).toBe('TIMEOUT');
    expect((await next(observation))?.method).toBe('m1');
  });

  it('a persistent one is tried again, before the others, until its retries are used up', async () => {
    await send({ persistent: true });
    await send();
    const observation = await observe();
    for (let attempt = 0; attempt <= 2; attempt++) {
      const command = await next(observation);
      expect(command?.method).toBe('m0');
      command?.sent();
      command?.lapsed();
      await used.quiet();
    }
    expect(JSON.parse((await rpcOf(0))?.response ?? '')).toEqual({
      error: 'There was a Timeout and all retry attempts have been exhausted. Retry attempts set: 2',
    });
    expect(await status(0)).toBe('FAILED');
    expect((await next(observation))?.method).toBe('m1');
  });

  it('holds no timer for waiters that went away', async () => {
    await send({ persistent: true });
    await send({ persistent: true });
    const observation = await observe();
    await next(observation);
    await next(observation);
    observation.close();
    const waiting = poll();
    await used.quiet();
    waiting.poll.cancel();
    expect(used.clock.timers).toBe(0);
  });
});

describe('With SEQUENTIAL_ON_ACK_FROM_DEVICE', () => {
  const { used, send, poll, reply, status } = useSequence('SEQUENTIAL_ON_ACK_FROM_DEVICE');

  it('polls get each command once before any is told again', async () => {
    for (let n = 0; n < 3; n++) await send();
    const seen: string[] = [];
    for (let n = 0; n < 5; n++) {
      seen.push(await methodOf(poll(n % 2 ? 'there' : 'here')));
      await used.quiet();
    }
    expect(seen).toEqual(['m0', 'm1', 'm2', 'm0', 'm0']);
    await reply(0);
    expect(await methodOf(poll())).toBe('m1');
    expect(await status(0)).toBe('SUCCESSFUL');
  });
});

describe('With SEQUENTIAL_ON_RESPONSE_FROM_DEVICE', () => {
  const { used, send, poll, observe, reply, status, rpcOf } = useSequence('SEQUENTIAL_ON_RESPONSE_FROM_DEVICE');

  it('the next command waits for the answer to the one before, whichever process gets that', async () => {
    const [first] = await send();
    await send();
    const observation = await observe();
    const command = await next(observation);
    command?.sent();
    command?.delivered();
    expect(await status(0)).toBe('DELIVERED');
    expect(await next(observation)).toBeUndefined();
    await reply(0);
    expect(await first).toMatchObject({ kind: 'answered' });
    await used.quiet();
    expect((await next(observation))?.method).toBe('m1');
  });

  it('a poll that comes before the answer gets the same command again', async () => {
    await send();
    await send();
    expect(await methodOf(poll())).toBe('m0');
    await used.quiet();
    expect(await methodOf(poll('there'))).toBe('m0');
    await reply(0);
    expect(await methodOf(poll('there'))).toBe('m1');
  });

  it.each([
    [true, 'FAILED', JSON.stringify({ error: `The device did not answer within ${RESPONSE} ms` })],
    [false, 'TIMEOUT', null],
  ])('goes on when the device does not answer in time (persistent: %s)', async (persistent, left, response) => {
    let news = 0;
    const observation = await observe('there', () => news++);
    await send({ persistent });
    await send();
    const command = await next(observation);
    command?.sent();
    command?.delivered();
    await used.quiet();
    expect(await next(observation)).toBeUndefined();
    used.clock.advance(RESPONSE - 1);
    expect(await next(observation)).toBeUndefined();
    news = 0;
    used.clock.advance(10);
    await used.quiet();
    expect(news).toBeGreaterThan(0);
    expect((await next(observation))?.method).toBe('m1');
    expect(await rpcOf(0)).toMatchObject({ status: left, response });
  });

  it('an answer that comes before anybody has noticed that it is late still counts', async () => {
    await send({ persistent: true });
    await poll().delivered();
    await used.quiet();
    used.clock.advance(RESPONSE + 1);
    await reply(0);
    expect(await status(0)).toBe('SUCCESSFUL');
  });

  it('gives its time to a command that was delivered by a process which did not wait for answers', async () => {
    await send({ persistent: true });
    await send();
    await used.core.state.rpcs.transition((await rpcOf(0))?.id ?? '', ['QUEUED'], { status: 'DELIVERED' });
    expect(await methodOf(poll())).toBe('m0');
    expect((await rpcOf(0))?.heldUntil).toBe(used.clock.now() + RESPONSE);
    used.clock.advance(RESPONSE);
    expect(await methodOf(poll())).toBe('m1');
    expect(await status(0)).toBe('FAILED');
  });

  it('a one-way command has no answer to wait for', async () => {
    await send({ oneway: true });
    await send();
    expect(await methodOf(poll())).toBe('m0');
    await used.quiet();
    expect(await methodOf(poll())).toBe('m1');
  });
});

describe('With BURST', () => {
  const { used, send, observe, status, rpcOf } = useSequence('BURST');

  it('all pending commands go out at once, also when one has timed out', async () => {
    for (let n = 0; n < 3; n++) await send({ persistent: n === 0 });
    const observation = await observe();
    const first = await next(observation);
    expect((await next(observation))?.method).toBe('m1');
    first?.sent();
    first?.lapsed();
    await used.quiet();
    expect((await next(observation))?.method).toBe('m0');
    expect((await next(observation))?.method).toBe('m2');
    expect(await next(observation)).toBeUndefined();
  });

  it('a persistent command that timed out and arrived after all is not told again', async () => {
    await send({ persistent: true });
    const observation = await observe();
    const command = await next(observation);
    command?.sent();
    command?.lapsed();
    expect(await status(0)).toBe('TIMEOUT');
    command?.delivered();
    expect(await next(observation)).toBeUndefined();
    expect(await rpcOf(0)).toMatchObject({ status: 'DELIVERED', attempts: 1, heldUntil: 0 });
  });

  it.each([
    [null, 2],
    [1, 1],
    [0, 0],
    [99, 2],
  ])('a persistent command with retries %s is tried again %i times', async (retries, count) => {
    await send({ persistent: true, retries });
    const observation = await observe();
    for (let attempt = 0; attempt <= count; attempt++) {
      expect(await status(0)).toBe(attempt === 0 ? 'QUEUED' : 'TIMEOUT');
      const command = await next(observation);
      command?.sent();
      command?.lapsed();
      await used.quiet();
    }
    expect(await next(observation)).toBeUndefined();
    expect((await rpcOf(0))?.response).toMatch(new RegExp(`Retry attempts set: ${count}"}$`));
  });
});
