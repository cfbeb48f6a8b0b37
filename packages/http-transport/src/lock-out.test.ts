import { type State, TandemError } from '@tandem/core';
import { TestGateway, until } from './testing/test-gateway';

const SETTINGS = {
  TB_TRANSPORT_IP_RATE_LIMITS_ENABLED: 'true',
  TB_TRANSPORT_MAX_WRONG_CREDENTIALS_PER_IP: '3',
  TB_TRANSPORT_IP_BLOCK_TIMEOUT: '60000',
  TANDEM_TRUSTED_PROXIES: '127.0.0.1',
};
const BODY = '{"a":1}';

/** A store that counts lookups of credentials, and can be away. */
const store = { lookups: 0, away: false, turns: 0 };
const over = (state: State): State => ({
  ...state,
  devices: new Proxy(state.devices, {
    get(devices, name) {
      const method = Reflect.get(devices, name);
      if (typeof method !== 'function') return method;
      if (name !== 'resolveCredentials') return method.bind(devices);
      return async (token: string) => {
        store.lookups++;
        for (let turn = 0; turn < store.turns; turn++) await new Promise(setImmediate);
        if (store.away) throw new TandemError('STORE_UNAVAILABLE');
        return devices.resolveCredentials(token);
      };
    },
  }),
});

let gateway: TestGateway;
let addresses = 0;
/** Of a caller behind the proxy that is trusted; each test has its own. */
let address: string;
beforeAll(async () => {
  gateway = await TestGateway.start({ settings: SETTINGS, over });
});
beforeEach(() => {
  address = `192.0.2.${++addresses}`;
  store.lookups = 0;
  store.away = false;
  store.turns = 0;
});
afterAll(() => gateway.stop());

const post = (path: string, from = address, headers: Readonly<Record<string, string>> = {}) =>
  gateway.send('POST', path, { body: BODY, headers: { 'X-Forwarded-For': from, ...headers } });
const statusOf = async (path: string, from?: string, headers?: Readonly<Record<string, string>>) =>
  (await post(path, from, headers)).status;
async function lockOut(from = address): Promise<void> {
  for (let n = 0; n < 3; n++) expect(await statusOf(`/guess${n}/telemetry`, from)).toBe(401);
}

it('a locked address gets 429 with the time left, also for a token that is right and known, and nothing is stored', async () => {
  const device = await gateway.device();
  expect(await statusOf(`/${device.token}/telemetry`)).toBe(200);
  await lockOut();
  const refused = await gateway.send('POST', `/${device.token}/telemetry`, {
    body: '{"b":1}',
    headers: { 'X-Forwarded-For': address },
  });
  expect(refused.status).toBe(429);
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(30);
  expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
  expect(JSON.parse(refused.text)).toMatchObject({
    status: 429,
    message: 'Too many wrong credentials from this address',
    errorCode: 33,
  });
  expect(Object.keys(await gateway.stored(device))).toEqual(['a']);
});

it('whatever the call, and whether the token is in the path or in a header', async () => {
  const { token } = await gateway.device();
  await lockOut();
  const headers = { 'X-Forwarded-For': address, Authorization: `Bearer ${token}` };
  const calls = [
    'telemetry',
    'attributes',
    'rpc?timeout=1',
    'attributes/updates?timeout=1',
    'firmware?title=t&version=v',
  ];
  for (const call of calls) {
    const method = call === 'telemetry' ? 'POST' : 'GET';
    const body = method === 'POST' ? BODY : undefined;
    expect((await gateway.send(method, `/${call}`, { body, headers })).status).toBe(429);
    expect((await gateway.send(method, `/${token}/${call}`, { body, headers })).status).toBe(429);
  }
});

it('other addresses are served, and those of one /64 network of IPv6 count as one', async () => {
  const { token } = await gateway.device();
  for (let n = 0; n < 3; n++) await post('/guess/telemetry', `2001:db8:${addresses}::${n}`);
  expect(await statusOf(`/${token}/telemetry`, `2001:db8:${addresses}::ffff`)).toBe(429);
  expect(await statusOf(`/${token}/telemetry`, '2001:db8:ffff::1')).toBe(200);
  expect(await statusOf(`/${token}/telemetry`)).toBe(200);
});

it('who names no token has guessed nothing', async () => {
  const { token } = await gateway.device();
  for (let n = 0; n < 5; n++) {
    expect(await statusOf('/telemetry')).toBe(401);
    expect(await statusOf('//telemetry')).toBe(401);
    expect(await statusOf('/telemetry', address, { Authorization: 'Bearer' })).toBe(401);
  }
  expect(await statusOf(`/${token}/telemetry`)).toBe(200);
});

it('what is wrong with a request before its token is looked at counts for nothing', async () => {
  const { token } = await gateway.device();
  const headers = { 'X-Forwarded-For': address };
  for (let n = 0; n < 5; n++) {
    expect((await gateway.send('PUT', '/guess/telemetry', { headers })).status).toBe(405);
    expect((await gateway.send('POST', '/guess/telemetry', { headers })).status).toBe(400);
    expect((await gateway.send('POST', '/guess/nothing', { headers, body: BODY })).status).toBe(404);
  }
  expect(await statusOf(`/${token}/telemetry`)).toBe(200);
});

it('of a thousand wrong tokens at once three are looked up', async () => {
  const guesses = Array.from({ length: 1_000 }, (_, n) => statusOf(`/at-once-${n}/telemetry`));
  const statuses = await Promise.all(guesses);
  expect(statuses.filter((status) => status === 401)).toHaveLength(3);
  expect(statuses.filter((status) => status === 429)).toHaveLength(997);
  expect(store.lookups).toBe(3);
});

it('of guesses at once a right token that is known is not told: it waits for the others, and is refused with them', async () => {
  const { token } = await gateway.device();
  expect(await statusOf(`/${token}/telemetry`)).toBe(200);
  // As long as one that is asked over a network takes.
  store.turns = 20;
  const guess = (guessed: string) =>
    `POST /api/v1/${guessed}/telemetry HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: ${address}\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;
  const socket = gateway.connect();
  let text = '';
  socket.on('data', (piece) => {
    text += piece;
  });
  const guesses = Array.from({ length: 6 }, (_, n) => guess(`in-a-row-${n}`));
  socket.write([...guesses.slice(0, 3), guess(token), ...guesses.slice(3)].join(''));
  const statuses = () => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
  await until(() => statuses().length === 7);
  socket.destroy();
  expect(statuses()).toEqual(['401', '401', '401', '429', '429', '429', '429']);
});

it('devices whose tokens are known wait for no more than those of their address that are looked up, and are served', async () => {
  const devices = await Promise.all(Array.from({ length: 30 }, () => gateway.device()));
  const [known] = devices;
  expect(await statusOf(`/${known?.token}/telemetry`)).toBe(200);
  const statuses = await Promise.all([...devices, known].map((device) => statusOf(`/${device?.token}/telemetry`)));
  expect(new Set(statuses)).toEqual(new Set([200]));
});

it('nor is anybody provisioned from a locked address', async () => {
  await lockOut();
  const body = '{"deviceName":"d","provisionDeviceKey":"k","provisionDeviceSecret":"s"}';
  const provision = (from: string) =>
    gateway.send('POST', '/provision', { body, headers: { 'X-Forwarded-For': from } });
  expect((await provision(address)).status).toBe(429);
  expect((await provision(`198.51.100.${addresses}`)).text).toContain('NOT_FOUND');
});

it('a store that is away makes 503 of every guess, and locks nobody', async () => {
  store.away = true;
  for (let n = 0; n < 5; n++) expect(await statusOf(`/away${n}/telemetry`)).toBe(503);
  store.away = false;
  const { token } = await gateway.device();
  expect(await statusOf(`/${token}/telemetry`)).toBe(200);
});
