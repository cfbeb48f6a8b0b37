import type { DeviceSession } from '../auth/device-session';
import type { Core } from '../core';
import { PollUnderTest, useCore } from '../devices/testing/core-under-test';
import { TandemError } from '../errors';
import type { State } from '../state/state';

const json = (text: string) => Buffer.from(text);
const points = (count: number) => json(JSON.stringify(Object.fromEntries([...Array(count).keys()].map((n) => [n, n]))));

/** What is said to the device, or `done`. */
const outcome = (message: Promise<unknown>): Promise<string> =>
  message.then(
    () => 'done',
    (error: TandemError) => (error.code === 'TOO_MANY_REQUESTS' ? `${error.message}, ${error.retryAfter}` : error.code),
  );

/** Everything a device can send that is no telemetry. */
const MESSAGES: readonly [name: string, send: (core: Core, session: DeviceSession) => Promise<unknown>][] = [
  ['a reply', (core, session) => core.rpcCalls.reply(session, 0, json('{}'), 'any')],
  [
    'a command of its own',
    (core, session) =>
      core.clientRpc.call(session, json('{"method":"getTime","params":{}}'), {
        paramsRequired: true,
        format: core.formats.json,
      }),
  ],
  ['a read of attributes', (core, session) => core.attributes.readForDevice(session, {})],
  [
    'an observation of attributes',
    async (core, session) => (await observeAttributes(core, session)).observation.close(),
  ],
  ['an observation of commands', async (core, session) => (await observeCommands(core, session)).close()],
  ['a poll for updates', (core, session) => polled((done) => core.attributeUpdates.openPoll(session, 0, done), core)],
  ['a poll for commands', (core, session) => polled((done) => core.rpcDelivery.openPoll(session, 0, done), core)],
];

const observeAttributes = (core: Core, session: DeviceSession) =>
  core.attributeUpdates.observe(session, { news() {}, end() {} });
const observeCommands = (core: Core, session: DeviceSession) =>
  core.rpcDelivery.observe(session, { news() {}, end() {} });

async function polled(open: ConstructorParameters<typeof PollUnderTest>[0], core: Core): Promise<void> {
  const poll = new PollUnderTest(open);
  (core.clock as unknown as { advance(time: number): void }).advance(0);
  const ended = await poll.ended;
  if (ended.kind === 'failed') throw ended.error;
}

describe('Without limits', () => {
  const used = useCore();

  it('the store is not asked, and telemetry goes straight to the log', async () => {
    const asked = jest.spyOn(used.core.state.rateCounters, 'take');
    const session = await used.device('d');
    for (const [, send] of MESSAGES) await send(used.core, session);
    await used.core.telemetry.post(session, points(1_000));
    await used.core.attributes.postClient(session, points(1_000));
    expect(asked).not.toHaveBeenCalled();
    expect(used.core.limits.take(session, 'telemetry', 1)).toBeUndefined();
  });
});

describe('TANDEM_RATE_LIMIT_DEVICE_MSGS', () => {
  const used = useCore({ TANDEM_RATE_LIMIT_DEVICE_MSGS: '2:1,3:60' });

  it.each(MESSAGES)('counts %s', async (_name, send) => {
    const [session, neighbour] = [await used.device('d'), await used.device('n')];
    const sent: string[] = [];
    for (let n = 0; n < 3; n++) sent.push(await outcome(send(used.core, session)));
    expect(sent).toEqual(['done', 'done', 'DEVICE rate limits reached! At most 2 messages in 1 s, 500']);
    expect(await outcome(send(used.core, neighbour))).toBe('done');
    used.clock.advance(1_000);
    expect(await outcome(send(used.core, session))).toBe('done');
    expect(await outcome(send(used.core, session))).toBe(
      'DEVICE rate limits reached! At most 3 messages in 60 s, 19000',
    );
    expect(used.gauge('tandem_limit_hits_total', { limit: 'TANDEM_RATE_LIMIT_DEVICE_MSGS' })).toBe(2);
  });

  it('does not count telemetry and attributes, nor what cannot be read', async () => {
    const asked = jest.spyOn(used.core.state.rateCounters, 'take');
    const session = await used.device('d');
    await used.core.telemetry.post(session, points(1));
    await used.core.attributes.postClient(session, points(1));
    await used.core.telemetry.post(session, json('{}'));
    expect(() => used.core.telemetry.post(session, json('{'))).toThrow(TandemError);
    expect(await outcome(used.core.rpcCalls.reply(session, 0, json('1'), 'object'))).toBe('BAD_PAYLOAD');
    expect(asked).not.toHaveBeenCalled();
  });
});

describe('TANDEM_RATE_LIMIT_DEVICE_TELEMETRY_*', () => {
  const used = useCore({
    TANDEM_RATE_LIMIT_DEVICE_TELEMETRY_MSGS: '3:10',
    TANDEM_RATE_LIMIT_DEVICE_TELEMETRY_DATA_POINTS: '10:10',
  });

  it('counts messages and the values in them, of telemetry and of attributes', async () => {
    const session = await used.device('d');
    const send = (count: number) => outcome(used.core.telemetry.post(session, points(count)));
    expect(await send(8)).toBe('done');
    expect(await send(3)).toBe('DEVICE rate limits reached! At most 10 data points in 10 s, 1000');
    expect(await outcome(used.core.attributes.postClient(session, points(2)))).toBe('done');
    used.clock.advance(1_000);
    expect(await send(1)).toBe('done');
    used.clock.advance(2_000);
    expect(await send(1)).toBe('DEVICE rate limits reached! At most 3 telemetry messages in 10 s, 334');
  });

  it('counts the values of all records of a message', async () => {
    const session = await used.device('d');
    const records = json(JSON.stringify(Array(11).fill({ ts: 1, values: { a: 1 } })));
    expect(await outcome(used.core.telemetry.post(session, records))).toBe('TOO_MANY_POINTS');
  });

  it('says of a message that has more values than a limit allows at all that it never will be taken', async () => {
    const session = await used.device('d');
    await expect(used.core.telemetry.post(session, points(11))).rejects.toMatchObject({
      code: 'TOO_MANY_POINTS',
      row: { http: 429, coap: '4.13' },
      retryAfter: undefined,
      message:
        'DEVICE rate limits: never, the message has 11 data points, of at most 10 data points in 10 s; send less at once',
    });
    expect(await outcome(used.core.telemetry.post(session, points(10)))).toBe('done');
  });

  it.each(['{}', '[]', '{"a":null}'])('counts %s, in which there is no value, as a message', async (body) => {
    const session = await used.device('d');
    const post = () => outcome(used.core.telemetry.post(session, json(body)));
    expect([await post(), await post(), await post()]).toEqual(['done', 'done', 'done']);
    expect(await post()).toMatch(/^DEVICE rate limits reached! At most 3 telemetry messages/);
  });

  it('keeps nothing of what it refuses', async () => {
    const session = await used.device('d');
    await outcome(used.core.telemetry.post(session, points(11)));
    await outcome(used.core.attributes.postClient(session, points(11)));
    expect(used.core.state.telemetryLog.backlog()).toBe(0);
    expect(await used.core.attributes.read(session.deviceId, 'CLIENT')).toEqual([]);
  });
});

describe('TANDEM_RATE_LIMIT_TENANT_TELEMETRY_MSGS', () => {
  const used = useCore({
    TANDEM_RATE_LIMIT_TENANT_TELEMETRY_MSGS: '3:60',
    TANDEM_RATE_LIMIT_DEVICE_TELEMETRY_MSGS: '2:60',
  });
  const send = (core: Core, session: DeviceSession) => outcome(core.telemetry.post(session, points(1)));

  it('counts for all devices together, without what a device has beyond its own limit', async () => {
    const [one, other] = [await used.device('a'), await used.device('b')];
    for (let n = 0; n < 5; n++) await send(used.core, one);
    expect(await send(used.core, one)).toMatch(/^DEVICE rate limits/);
    expect(await send(used.core, other)).toBe('done');
    expect(await send(used.core, other)).toBe(
      'TENANT rate limits reached! At most 3 telemetry messages in 60 s, 20000',
    );
  });

  it('counts for all processes together', async () => {
    const another = used.another();
    const [one, other] = [await used.device('a'), await used.device('b')];
    expect(await Promise.all([send(used.core, one), send(another, one), send(used.core, one)])).toEqual([
      'done',
      'done',
      expect.stringMatching(/^DEVICE/),
    ]);
    expect([await send(another, other), await send(used.core, other)]).toEqual([
      'done',
      expect.stringMatching(/^TENANT/),
    ]);
  });

  it('is kept by each process alone while the store does not count, and the log says so once', async () => {
    const unavailable = () => Promise.reject(new TandemError('STORE_UNAVAILABLE'));
    const another = used.another((state: State) => ({ ...state, rateCounters: { take: unavailable } }));
    const session = await used.device('a');
    const sent = [1, 2, 3].map(() => send(another, session));
    expect(await Promise.all(sent)).toEqual(['done', 'done', expect.stringMatching(/^DEVICE/)]);
    expect(used.log.filter(({ level }) => level === 'warn')).toHaveLength(1);
    expect(await send(used.core, session)).toBe('done');
  });
});

describe('A store that counts for no one and does not say so', () => {
  const used = useCore({ TANDEM_RATE_LIMIT_TENANT_MSGS: '100:60', TANDEM_RATE_LIMIT_DEVICE_MSGS: '2:60' });
  const take = (core: Core, session: DeviceSession) => outcome(Promise.resolve(core.limits.take(session, 'message')));

  /** Another process, whose questions hang until the test lets them go on. */
  function hanging() {
    const store = { hangs: true, asked: 0 };
    const core = used.another((state: State) => ({
      ...state,
      rateCounters: {
        take: (...question) => {
          store.asked++;
          return store.hangs ? new Promise(() => {}) : state.rateCounters.take(...question);
        },
      },
    }));
    return { core, store };
  }
  const microtasks = () => new Promise((resolve) => setImmediate(resolve));

  it('delays a message by 500 ms for both its limits, and none for a second after it', async () => {
    const { core, store } = hanging();
    const session = await used.device('d');
    const first = take(core, session);
    used.clock.advance(499);
    await microtasks();
    expect(store.asked).toBe(1);
    used.clock.advance(1);
    expect(await first).toBe('done');
    expect(await take(core, session)).toBe('done');
    expect(await take(core, session)).toMatch(/^DEVICE/);
    expect(store.asked).toBe(1);
    expect(used.clock.timers).toBe(0);
    expect(used.log.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('is asked again by one message a second, and by all once it answers', async () => {
    const { core, store } = hanging();
    const [one, other] = [await used.device('a'), await used.device('b')];
    const failed = take(core, one);
    used.clock.advance(500);
    await failed;
    used.clock.advance(1_000);
    const trying = take(core, one);
    expect(await take(core, other)).toBe('done');
    expect(store.asked).toBe(2);
    used.clock.advance(500);
    expect(await trying).toBe('done');
    store.hangs = false;
    expect(await take(core, other)).toBe('done');
    expect(store.asked).toBe(2);
    used.clock.advance(1_000);
    expect(await take(core, one)).toBe('done');
    expect(await take(core, other)).toBe('done');
    // Device and tenant, each.
    expect(store.asked).toBe(6);
  });

  it('that answers the first question late gets no more time for the second', async () => {
    let answer: (() => void) | undefined;
    const core = used.another((state: State) => ({
      ...state,
      rateCounters: {
        take: ({ scope }) =>
          new Promise((resolve) => {
            if (scope === 'device') answer = () => resolve({ ok: true });
          }),
      },
    }));
    const message = take(core, await used.device('d'));
    used.clock.advance(400);
    answer?.();
    await microtasks();
    used.clock.advance(100);
    expect(await message).toBe('done');
  });
});
