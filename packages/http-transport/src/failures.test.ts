import { type State, TandemError } from '@tandem/core';
import { TestGateway, until } from './testing/test-gateway';

const error = (answer: { text: string }) => JSON.parse(answer.text);

it('a full backlog is 503 with a time to retry', async () => {
  const gateway = await TestGateway.start({ settings: { TANDEM_TELEMETRY_BACKLOG_MAX: '1' }, materialise: false });
  const { token } = await gateway.device();
  expect((await gateway.post(`/${token}/telemetry`, '{"a":1}')).status).toBe(200);
  const refused = await gateway.post(`/${token}/telemetry`, '{"a":2}');
  expect(refused.status).toBe(503);
  expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  expect(error(refused)).toEqual({
    status: 503,
    message: expect.any(String),
    errorCode: 2,
    timestamp: expect.any(Number),
  });
  expect(gateway.gauge('tandem_limit_hits_total', { limit: 'TANDEM_TELEMETRY_BACKLOG_MAX' })).toBe(1);
  await gateway.stop();
});

/** The real store, whose attributes cannot be read. */
const failing = (thrown: unknown) => (state: State) => ({
  ...state,
  attributes: Object.assign(Object.create(state.attributes), { read: () => Promise.reject(thrown) }),
  events: Object.assign(Object.create(state.events), {
    watch: (...watched: Parameters<State['events']['watch']>) => state.events.watch(...watched),
    getCursor: () => Promise.reject(thrown),
  }),
});

it('a store that does not answer is 503, with the seconds rounded up', async () => {
  const gateway = await TestGateway.start({
    over: failing(new TandemError('STORE_UNAVAILABLE', { retryAfter: 1_001 })),
  });
  const { token } = await gateway.device();
  for (const path of ['attributes', 'attributes/updates']) {
    const answer = await gateway.get(`/${token}/${path}`);
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '2' } });
    expect(error(answer)).toMatchObject({ status: 503, errorCode: 2 });
  }
  expect(gateway.openPolls).toBe(0);
  await gateway.stop();
});

describe('a fault of the gateway', () => {
  it('is 500 with the id of the one line in the log, and neither shows the other its secrets', async () => {
    const gateway = await TestGateway.start({ over: failing(new Error('disk on fire')) });
    const { token } = await gateway.device('verySecretToken');
    const answer = await gateway.get(`/${token}/attributes?clientKeys=a`);
    const id = String(answer.headers['x-correlation-id']);
    expect(id).toMatch(/^[0-9a-f]{12}$/);
    expect(answer.status).toBe(500);
    expect(error(answer)).toEqual({
      status: 500,
      message: `Internal server error (correlation id ${id})`,
      errorCode: 2,
      timestamp: expect.any(Number),
    });
    expect(gateway.log).toHaveLength(1);
    for (const part of [id, 'attributes_read', 'disk on fire']) expect(gateway.log[0]).toContain(part);
    expect(gateway.log[0]).not.toContain(token);
    await gateway.stop();
  });

  it('is logged once also where many requests fail by it, and another one is another id', async () => {
    let fault: unknown = new Error('the first');
    const gateway = await TestGateway.start({
      over: (state) => ({
        ...state,
        telemetryLog: Object.assign(Object.create(state.telemetryLog), { append: () => Promise.reject(fault) }),
      }),
    });
    const { token } = await gateway.device();
    const post = () => gateway.post(`/${token}/telemetry`, '{"a":1}');
    const ids = (await Promise.all([post(), post(), post()])).map(({ headers }) => headers['x-correlation-id']);
    fault = 'no error at all';
    const other = await post();
    expect(new Set(ids).size).toBe(1);
    expect(other.status).toBe(500);
    expect(other.headers['x-correlation-id']).not.toBe(ids[0]);
    expect(
      gateway.log.map((line) => [ids[0], other.headers['x-correlation-id']].map((id) => line.includes(`${id}`))),
    ).toEqual([
      [true, false],
      [false, true],
    ]);
    await gateway.stop();
  });
});

it('when the gateway stops, whoever waits is told at once to come back, and new ones as well', async () => {
  const gateway = await TestGateway.start({
    backend: { call: () => new Promise(() => {}) },
  });
  const { token } = await gateway.device();
  const waiting = [
    gateway.get(`/${token}/rpc`),
    gateway.get(`/${token}/attributes/updates`),
    gateway.post(`/${token}/rpc`, '{"method":"m","params":{}}'),
  ];
  await gateway.polls(2);
  while (gateway.gauge('tandem_client_rpcs_waiting') === 0) await new Promise(setImmediate);
  gateway.api.close(60_000);
  const told = await Promise.all([
    ...waiting,
    gateway.get(`/${token}/rpc`),
    gateway.get(`/${token}/attributes/updates`),
  ]);
  for (const answer of told) {
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1', connection: 'close' } });
    expect(error(answer)).toMatchObject({ status: 503, errorCode: 2 });
  }
  expect(gateway.openPolls).toBe(0);
  expect(gateway.gauge('tandem_devices_watched')).toBe(0);
  expect((await gateway.post(`/${token}/telemetry`, '{"a":1}')).status).toBe(200);
  await gateway.stop();
});

describe('when the gateway stops over a store that does not answer', () => {
  /** The real store, which answers nothing until it is let go. */
  const hanging = () => {
    const released: (() => void)[] = [];
    let asked = 0;
    let hangs = false;
    const hang = <T extends object>(store: T, ...methods: (keyof T)[]): T =>
      new Proxy(store, {
        get(target, name) {
          const method = Reflect.get(target, name);
          if (typeof method !== 'function') return method;
          if (!methods.includes(name as keyof T)) return method.bind(target);
          return async (...given: unknown[]) => {
            if (hangs) {
              asked++;
              await new Promise<void>((resolve) => released.push(resolve));
            }
            return method.apply(target, given);
          };
        },
      });
    return {
      over: (state: State): State => ({
        ...state,
        devices: hang(state.devices, 'resolveCredentials'),
        attributes: hang(state.attributes, 'read', 'save'),
        telemetryLog: hang(state.telemetryLog, 'append'),
      }),
      hang: () => {
        hangs = true;
      },
      letGo: () => {
        hangs = false;
        for (const release of released) release();
      },
      asked: (count: number) => until(() => asked === count),
    };
  };

  const waiting = async (hang: ReturnType<typeof hanging>) => {
    const gateway = await TestGateway.start({ over: hang.over });
    const [known, unknown] = [await gateway.device(), await gateway.device()];
    await gateway.get(`/${known.token}/attributes`);
    hang.hang();
    const answers = [
      gateway.post(`/${known.token}/telemetry`, '{"a":1}'),
      gateway.post(`/${known.token}/attributes`, '{"a":1}'),
      gateway.get(`/${known.token}/attributes?clientKeys=a`),
      gateway.post(`/${unknown.token}/telemetry`, '{"a":1}'),
    ];
    await hang.asked(answers.length);
    return { gateway, known, unknown, answers };
  };

  it('whoever waits for it is told to come back before the connection is cut, and once only', async () => {
    const hang = hanging();
    const { gateway, known, unknown, answers } = await waiting(hang);
    gateway.api.close(1);
    for (const answer of await Promise.all(answers)) {
      expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1', connection: 'close' } });
      expect(error(answer)).toMatchObject({ status: 503, message: 'The gateway is shutting down', errorCode: 2 });
    }
    const late = await gateway.get(`/${known.token}/attributes`);
    expect(error(late)).toMatchObject({ message: 'The gateway is shutting down' });
    hang.letGo();
    // What had reached the store is done all the same; what had not is not begun after its refusal.
    while (!(await gateway.clientAttributes(known)).a) await new Promise(setImmediate);
    expect(Object.keys(await gateway.stored(known))).toEqual(['a']);
    expect(await gateway.stored(unknown)).toEqual({});
    expect(gateway.log.filter((line) => line.startsWith('request failed'))).toEqual([]);
    await gateway.stop();
  });

  it('a store that answers in time is nothing the devices notice', async () => {
    const hang = hanging();
    const { gateway, answers } = await waiting(hang);
    gateway.api.close(60_000);
    hang.letGo();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    await gateway.stop();
  });

  it('a request whose body does not come is not answered', async () => {
    const gateway = await TestGateway.start();
    const { token } = await gateway.device();
    await gateway.get(`/${token}/attributes`);
    const socket = gateway.connect();
    const length = 10;
    socket.write(`POST /api/v1/${token}/telemetry HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`);
    await until(() => gateway.gauge('tandem_http_received_requests_total', { operation: 'telemetry' }) === 1);
    const heard: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => heard.push(chunk));
    gateway.api.close(0);
    // Its timer fires before one that is set later for the same time.
    await new Promise<void>((resolve) => gateway.core.clock.setTimer(0, resolve));
    expect(heard).toEqual([]);
    const closed = new Promise((resolve) => socket.on('end', resolve).on('error', resolve));
    await gateway.stop();
    await closed;
    socket.destroy();
    expect(Buffer.concat(heard).toString()).toBe('');
  });
});
