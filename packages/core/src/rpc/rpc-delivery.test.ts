import type { DeviceSession } from '../auth/device-session';
import { over, PollUnderTest, useCore } from '../devices/testing/core-under-test';
import { TandemError } from '../errors';
import type { AnswerFormat, PayloadFormat } from '../payload/format/index';
import type { RpcCall, RpcOutcome } from './rpc-calls';

const used = useCore({ MIN_SERVER_SIDE_RPC_TIMEOUT: '1', TANDEM_RPC_MAX_PENDING: '5' });
let session: DeviceSession;
beforeEach(async () => {
  session = await used.device('commanded');
});

const poll = (timeout = 60_000) => new PollUnderTest((done) => used.core.rpcDelivery.openPoll(session, timeout, done));
const observe = () => used.core.rpcDelivery.observe(session, { news() {}, end() {} });

/** Sends, and resolves when the command is in the store. */
async function send(call: Partial<RpcCall> = {}): Promise<{ outcome: Promise<RpcOutcome>; status(): Promise<string> }> {
  const requestId = await used.core.state.rpcs.nextRequestId(session.deviceId);
  const { tenantId, deviceId } = session;
  const outcome = used.core.rpcCalls.send({
    tenantId,
    deviceId,
    oneway: false,
    method: 'm',
    params: '{"n":1.0}',
    timeout: 10_000,
    ...call,
  });
  outcome.catch(() => {});
  await used.quiet();
  return {
    outcome,
    status: async () => {
      await used.quiet();
      const rpc = await used.core.state.rpcs.findByRequestId(deviceId, requestId);
      return rpc?.status ?? 'removed';
    },
  };
}

const reply = (requestId: number, text: string, from = session) =>
  used.core.rpcCalls.reply(from, requestId, Buffer.from(text), 'any');

describe('A two-way command', () => {
  it('is QUEUED until it is written, then DELIVERED, then SUCCESSFUL; its caller gets the answer', async () => {
    const { outcome, status } = await send();
    expect(await status()).toBe('QUEUED');
    const event = await poll().event();
    expect(event.message.payload).toBe('{"id":0,"method":"m","params":{"n":1.0}}');
    expect(await status()).toBe('QUEUED');
    event.settled(true);
    expect(await status()).toBe('DELIVERED');
    await reply(0, '{"ok":1.0}');
    expect(await outcome).toEqual({ kind: 'answered', response: '{"ok":1.0}', isJson: true });
    expect(await status()).toBe('SUCCESSFUL');
  });

  it('wakes a poll that is open', async () => {
    const waiting = poll();
    await used.quiet();
    expect(waiting.outcome).toBeUndefined();
    await send();
    expect(await waiting.delivered()).toContain('"id":0');
  });

  it('is handed out again until it is answered, oldest first', async () => {
    await send({ method: 'first' });
    await send({ method: 'second' });
    expect(await poll().delivered()).toContain('first');
    expect(await poll().delivered()).toContain('first');
    await reply(0, '1');
    expect(await poll().delivered()).toContain('second');
  });

  it('has its first answer; a second one, a foreign one and one to an unknown id change nothing', async () => {
    const { outcome, status } = await send();
    await reply(0, '"forged"', await used.device('foreign'));
    await reply(7, '"nobody asked"');
    expect(await status()).toBe('QUEUED');
    await reply(0, '"first"');
    await reply(0, '"second"');
    expect(await outcome).toMatchObject({ kind: 'answered', response: '"first"' });
  });

  it('takes an answer that is no JSON as it is', async () => {
    const { outcome } = await send();
    await reply(0, 'plain text');
    expect(await outcome).toEqual({ kind: 'answered', response: 'plain text', isJson: false });
  });

  it('that nobody fetched ends as not connected, one that was fetched as timed out', async () => {
    const unfetched = await send({ timeout: 10_000 });
    used.clock.advance(11_000);
    expect(await unfetched.outcome).toEqual({ kind: 'no-connection' });
    const fetched = await send({ timeout: 10_000 });
    await poll().delivered();
    await used.quiet();
    used.clock.advance(11_000);
    expect(await fetched.outcome).toEqual({ kind: 'timeout' });
  });

  it('is not handed out after its life, nor answered', async () => {
    const { outcome } = await send({ timeout: 10_000 });
    used.clock.advance(10_000);
    await reply(0, '"too late"');
    const late = poll(1);
    await used.quiet();
    used.clock.advance(1_000);
    await used.quiet();
    expect(late.outcome).toEqual({ kind: 'expired' });
    expect(await outcome).toEqual({ kind: 'no-connection' });
  });

  it('is gone for a caller who goes away', async () => {
    const caller = new AbortController();
    const { tenantId, deviceId } = session;
    const outcome = used.core.rpcCalls.send(
      { tenantId, deviceId, oneway: false, method: 'm', params: '1' },
      caller.signal,
    );
    await used.quiet();
    caller.abort();
    expect(await outcome).toEqual({ kind: 'gone' });
    expect(used.clock.timers).toBe(0);
    expect(used.gauge('tandem_devices_watched')).toBe(0);
  });

  it('is gone for its caller when the device is deleted', async () => {
    const { outcome } = await send();
    await used.core.devices.delete(used.tenantId, session.deviceId);
    await used.quiet();
    used.clock.advance(11_000);
    expect(await outcome).toEqual({ kind: 'gone' });
  });

  it('is refused when too many are open', async () => {
    for (let i = 0; i < 5; i++) await send();
    await expect((await send()).outcome).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
  });
});

describe('A one-way command', () => {
  it('ends with its delivery and is handed out once', async () => {
    const { outcome, status } = await send({ oneway: true });
    await poll().delivered();
    expect(await outcome).toEqual({ kind: 'handed-over' });
    expect(await status()).toBe('DELIVERED');
    const next = poll();
    await used.quiet();
    expect(next.outcome).toBeUndefined();
  });

  it('belongs to every poll and observation that was there before it', async () => {
    const polls = [poll(), poll()];
    const observation = await observe();
    expect(await observation.next()).toBeUndefined();
    await used.quiet();
    await send({ oneway: true });
    for (const waiting of polls) expect(await waiting.delivered()).toContain('"id":0');
    await used.quiet();
    expect((await observation.next())?.message.payload).toContain('"id":0');
    expect(await observation.next()).toBeUndefined();
  });

  it('that one of its waiters cannot be told in its format is left to the others', async () => {
    const speechless: AnswerFormat = {
      current: () =>
        Object.assign<PayloadFormat, Pick<PayloadFormat, 'write'>>(Object.create(used.core.formats.json), {
          write() {
            throw new TandemError('UNDELIVERABLE');
          },
        }),
    };
    const observation = await used.core.rpcDelivery.observe(session, { news() {}, end() {} }, speechless);
    const waiting = poll();
    await used.quiet();
    const { status } = await send({ oneway: true });
    await waiting.delivered();
    expect(await status()).toBe('DELIVERED');
    expect(await observation.next()).toBeUndefined();
    expect(await status()).toBe('DELIVERED');
  });

  it('is nobody else’s while its response is being written, and the next one’s when that failed', async () => {
    const { status } = await send({ oneway: true });
    const broken = await poll().event();
    const next = poll();
    await used.quiet();
    expect(next.outcome).toBeUndefined();
    broken.settled(false);
    expect(await next.delivered()).toContain('"id":0');
    expect(await status()).toBe('DELIVERED');
  });

  it('is not answered by what a device says', async () => {
    const { status } = await send({ oneway: true });
    await reply(0, '"not asked"');
    expect(await status()).toBe('QUEUED');
  });
});

describe('An observation of commands', () => {
  it('gets what is pending and then each new one, once, oldest first', async () => {
    await send({ method: 'a' });
    await send({ method: 'b' });
    const observation = await observe();
    expect((await observation.next())?.message.payload).toContain('"a"');
    expect((await observation.next())?.message.payload).toContain('"b"');
    expect(await observation.next()).toBeUndefined();
    await send({ method: 'c' });
    expect((await observation.next())?.message.payload).toContain('"c"');
    observation.close();
    expect((await (await observe()).next())?.message.payload).toContain('"a"');
  });

  it('makes a command SENT and DELIVERED, or lets it lapse: its caller is told at once', async () => {
    const acknowledged = await send();
    const observation = await observe();
    const first = await observation.next();
    first?.sent();
    expect(await acknowledged.status()).toBe('SENT');
    first?.delivered();
    expect(await acknowledged.status()).toBe('DELIVERED');
    const silent = await send();
    const second = await observation.next();
    second?.sent();
    second?.lapsed();
    expect(await silent.outcome).toEqual({ kind: 'timeout' });
    expect(await silent.status()).toBe('TIMEOUT');
  });

  it('that ended before the acknowledgement leaves the command to the next one', async () => {
    const { status } = await send({ oneway: true });
    const command = await (await observe()).next();
    command?.sent();
    expect(await status()).toBe('SENT');
    command?.returned();
    expect(await status()).toBe('QUEUED');
    expect(await poll().delivered()).toContain('"id":0');
  });
});

describe('A persistent command', () => {
  it('is kept for the device: its caller gets an id and does not wait', async () => {
    const { outcome, status } = await send({ persistent: true });
    const { rpcId } = (await outcome) as { rpcId: string };
    await poll().delivered();
    await reply(0, '{"ok":true}');
    expect(await status()).toBe('SUCCESSFUL');
    expect(await used.core.rpcCalls.get(rpcId)).toMatchObject({ response: '{"ok":true}', persistent: true });
  });
});

describe('Sweeping', () => {
  it('removes what lapsed, keeps persistent ones as EXPIRED, and leaves the living alone', async () => {
    const plain = await send({ timeout: 10_000 });
    const persistent = await send({ timeout: 10_000, persistent: true });
    const answered = await send({ timeout: 10_000, persistent: true });
    await reply(2, '1');
    const living = await send({ timeout: 60_000 });
    expect(await used.core.rpcCalls.sweep(10)).toBe(0);
    used.clock.advance(12_001);
    expect(await used.core.rpcCalls.sweep(10)).toBe(2);
    expect(await plain.status()).toBe('removed');
    expect(await persistent.status()).toBe('EXPIRED');
    expect(await answered.status()).toBe('SUCCESSFUL');
    expect(await living.status()).toBe('QUEUED');
    expect(await used.core.rpcCalls.sweep(10)).toBe(0);
  });

  it('stops at the first command for which the store is not available, tells of it once, and begins behind it', async () => {
    for (let i = 0; i < 3; i++) await send({ timeout: 10_000 });
    used.clock.advance(12_001);
    const tried: string[] = [];
    let away = true;
    const { rpcCalls } = used.another((state) => ({
      ...state,
      rpcs: over(state.rpcs, {
        remove: async (id) => {
          tried.push(id);
          if (away) throw new TandemError('STORE_UNAVAILABLE');
          return state.rpcs.remove(id);
        },
      }),
    }));
    for (let round = 0; round < 4; round++) expect(await rpcCalls.sweep(10)).toBe(0);
    expect(tried).toHaveLength(4);
    expect(new Set(tried).size).toBe(3);
    expect(used.log.filter(({ message }) => message === 'lapsed RPC not removed')).toHaveLength(1);
    away = false;
    expect(await rpcCalls.sweep(10)).toBe(3);
  });

  it('leaves out a command that cannot be removed', async () => {
    const commands = [await send({ timeout: 10_000 }), await send({ timeout: 10_000 })];
    used.clock.advance(12_001);
    const { rpcCalls } = used.another((state) => ({
      ...state,
      rpcs: over(state.rpcs, {
        remove: async (id) => {
          const rpc = await state.rpcs.get(id);
          if (rpc?.requestId === 0) throw new TandemError('INTERNAL');
          return state.rpcs.remove(id);
        },
      }),
    }));
    expect(await rpcCalls.sweep(10)).toBe(1);
    expect(await Promise.all(commands.map(({ status }) => status()))).toEqual(['QUEUED', 'removed']);
  });

  it('looks at so many at a time', async () => {
    for (let i = 0; i < 3; i++) await send({ timeout: 10_000 });
    used.clock.advance(12_001);
    expect([await used.core.rpcCalls.sweep(2), await used.core.rpcCalls.sweep(2)]).toEqual([2, 1]);
  });
});
