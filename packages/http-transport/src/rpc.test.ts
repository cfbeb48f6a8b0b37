import type { ClientRpcBackend, RpcOutcome } from '@tandem/core';
import { type TestDevice, TestGateway, until } from './testing/test-gateway';

let gateway: TestGateway;
let abandoned = 0;

/** The server logic of these tests. */
const backend: ClientRpcBackend = {
  call({ method, params }, signal) {
    signal.addEventListener('abort', () => abandoned++);
    if (method === 'fail') return Promise.reject(new Error('boom'));
    if (method === 'silent') return new Promise(() => {});
    return Promise.resolve(`{"time":"x","params":${params}}`);
  },
};

beforeAll(async () => {
  gateway = await TestGateway.start({ settings: { CLIENT_SIDE_RPC_TIMEOUT: '300' }, backend });
});
afterAll(() => gateway.stop());

const EXPIRED = { status: 408, text: '', headers: { 'content-length': '0' } };
const poll = ({ token }: TestDevice, timeout = 5000) => gateway.get(`/${token}/rpc?timeout=${timeout}`);
const reply = ({ token }: TestDevice, id: number | string, body?: string) => gateway.post(`/${token}/rpc/${id}`, body);

interface Command {
  readonly oneway?: boolean;
  readonly method?: string;
  readonly params?: string;
  readonly timeout?: number;
  readonly expirationTime?: number;
}

/** Resolves when the command is there; what becomes of it is in `outcome`. */
async function send({ id }: TestDevice, command: Command = {}): Promise<{ outcome: Promise<RpcOutcome> }> {
  const before = await gateway.core.state.rpcs.nextRequestId(id);
  const caller = new AbortController();
  callers.push(caller);
  const outcome = gateway.core.rpcCalls.send(
    { tenantId: gateway.tenantId, deviceId: id, oneway: false, method: 'm', params: '{}', timeout: 10_000, ...command },
    caller.signal,
  );
  while ((await gateway.core.state.rpcs.nextRequestId(id)) === before) await new Promise(setImmediate);
  return { outcome };
}

const callers: AbortController[] = [];
afterEach(() => {
  for (const caller of callers.splice(0)) caller.abort();
});

it('TV-177: without a command the poll ends with 408', async () => {
  expect(await poll(await gateway.device(), 100)).toMatchObject(EXPIRED);
});

it('TV-178, TV-179: an open poll gets the command, with ids that count from 0', async () => {
  const device = await gateway.device();
  for (const id of [0, 1]) {
    const answer = poll(device);
    await gateway.polls(1);
    const { outcome } = await send(device, { method: 'setGpio', params: '{"pin":"23","value":1}' });
    expect(await answer).toMatchObject({
      status: 200,
      text: `{"id":${id},"method":"setGpio","params":{"pin":"23","value":1}}`,
      headers: { 'content-type': 'application/json' },
    });
    await reply(device, id, '{}');
    await outcome;
  }
});

it.each([
  ['TV-180', 'null'],
  ['TV-181', '"on"'],
  ['TV-181', '5'],
  ['TV-181', 'true'],
  ['TV-181', '[1]'],
])('%s: params %s reach the device as they are', async (_vector, params) => {
  const device = await gateway.device();
  await send(device, { params });
  expect((await poll(device)).text).toBe(`{"id":0,"method":"m","params":${params}}`);
});

it('TV-182: a command that came before the poll is delivered at once', async () => {
  const device = await gateway.device();
  await send(device);
  expect(JSON.parse((await poll(device)).text)).toMatchObject({ id: 0 });
});

it('TV-183: a command that has expired is not delivered', async () => {
  const device = await gateway.device();
  await send(device, { expirationTime: Date.now() - 1 });
  expect(await poll(device, 100)).toMatchObject(EXPIRED);
});

it('TV-184: commands come oldest first, one per poll', async () => {
  const device = await gateway.device();
  await send(device, { oneway: true, method: 'first' });
  await send(device, { oneway: true, method: 'second' });
  expect(JSON.parse((await poll(device)).text)).toMatchObject({ id: 0, method: 'first' });
  expect(JSON.parse((await poll(device)).text)).toMatchObject({ id: 1, method: 'second' });
});

it('TV-184, TV-185: a two-way command comes again until it is answered', async () => {
  const device = await gateway.device();
  await send(device);
  await send(device);
  expect(JSON.parse((await poll(device)).text)).toMatchObject({ id: 0 });
  expect(JSON.parse((await poll(device)).text)).toMatchObject({ id: 0 });
  await reply(device, 0, '{}');
  expect(JSON.parse((await poll(device)).text)).toMatchObject({ id: 1 });
});

it('TV-186: a one-way command is forgotten once it is delivered', async () => {
  const device = await gateway.device();
  const { outcome } = await send(device, { oneway: true });
  expect((await poll(device)).status).toBe(200);
  expect(await outcome).toEqual({ kind: 'handed-over' });
  expect(await poll(device, 100)).toMatchObject(EXPIRED);
});

it('a command goes to every open poll', async () => {
  const device = await gateway.device();
  const answers = [poll(device), poll(device)];
  await gateway.polls(2);
  await send(device, { oneway: true });
  expect((await Promise.all(answers)).map(({ text }) => JSON.parse(text).id)).toEqual([0, 0]);
});

it('a one-way command is not lost on a poll that was aborted', async () => {
  const device = await gateway.device();
  const client = gateway.connect();
  client.write(`GET /api/v1/${device.token}/rpc?timeout=5000 HTTP/1.1\r\nHost: gateway\r\n\r\n`);
  await gateway.polls(1);
  client.destroy();
  await gateway.polls(0);
  await send(device, { oneway: true });
  expect((await poll(device)).status).toBe(200);
});

it('TV-187, TV-189: the first reply reaches the caller, the second is ignored', async () => {
  const device = await gateway.device();
  const { outcome } = await send(device);
  await poll(device);
  expect(await reply(device, 0, '{"result":"ok"}')).toMatchObject({ status: 200, text: '' });
  expect(await reply(device, 0, '{"result":"late"}')).toMatchObject({ status: 200, text: '' });
  expect(await outcome).toEqual({ kind: 'answered', response: '{"result":"ok"}', isJson: true });
});

it.each([
  ['TV-188', '999'],
  ['int32', '-1'],
  ['int32', '-2147483648'],
  ['int32', '2147483647'],
])('%s: a reply to the unknown id %s is accepted', async (_vector, id) => {
  expect(await reply(await gateway.device(), id, '{"result":"ok"}')).toMatchObject({ status: 200, text: '' });
});

it('TV-190: a reply need not be JSON', async () => {
  const device = await gateway.device();
  const { outcome } = await send(device);
  expect(await reply(device, 0, 'hello world')).toMatchObject({ status: 200, text: '' });
  expect(await outcome).toEqual({ kind: 'answered', response: 'hello world', isJson: false });
});

it('TV-191, TV-192: a reply without body is 400, one of a stranger 401', async () => {
  expect((await reply(await gateway.device(), 0)).status).toBe(400);
  expect(await gateway.post('/nope/rpc/0', '{}')).toMatchObject({ status: 401, text: '' });
});

it('a device cannot answer the command of another', async () => {
  const [device, other] = [await gateway.device(), await gateway.device()];
  const { outcome } = await send(device);
  await reply(other, 0, '{"result":"forged"}');
  await reply(device, 0, '{"result":"own"}');
  expect(await outcome).toMatchObject({ response: '{"result":"own"}' });
});

describe('commands of the device to the server', () => {
  const call = async (body: string) => gateway.post(`/${(await gateway.device()).token}/rpc`, body);

  it('TV-193: getTime is answered', async () => {
    const answer = await call('{"method":"getTime","params":{}}');
    expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } });
    expect(JSON.parse(answer.text)).toEqual({ time: expect.stringMatching(/^\d{4}-/) });
  });

  it('TV-193, TV-197: the reply of the server logic comes as it is', async () => {
    expect((await call('{"method":"echo","params":null}')).text).toBe('{"time":"x","params":null}');
  });

  it('TV-194: a failure of the server logic is a reply', async () => {
    expect(await call('{"method":"fail","params":{}}')).toMatchObject({ status: 200, text: '{"error":"boom"}' });
  });

  it.each([
    ['TV-195', '{"method":"getTime"}'],
    ['TV-196', '{"params":{}}'],
    ['TV-198', '[]'],
    ['not JSON', '{bad'],
  ])('%s: %s is 400', async (_vector, body) => {
    const answer = await call(body);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({ status: 400, errorCode: 31 });
  });

  it('TV-199: without a reply 408 after the limit', async () => {
    const start = performance.now();
    expect(await call('{"method":"silent","params":{}}')).toMatchObject(EXPIRED);
    expect(performance.now() - start).toBeGreaterThan(280);
  });

  it('waits no longer than its device is there: 403', async () => {
    const { token, id } = await gateway.device();
    const before = abandoned;
    const calling = gateway.post(`/${token}/rpc`, '{"method":"silent","params":{}}');
    await until(() => gateway.gauge('tandem_client_rpcs_waiting') === 1);
    await gateway.core.devices.delete(gateway.tenantId, id);
    expect(await calling).toMatchObject({ status: 403, text: 'Device was deleted!' });
    expect(abandoned).toBe(before + 1);
  });

  it('stops waiting when the device goes away', async () => {
    const { token } = await gateway.device();
    const before = abandoned;
    const client = gateway.connect();
    const body = '{"method":"silent","params":{}}';
    client.write(
      `POST /api/v1/${token}/rpc HTTP/1.1\r\nHost: gateway\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await until(() => gateway.gauge('tandem_client_rpcs_waiting') === 1);
    client.destroy();
    await until(() => gateway.gauge('tandem_client_rpcs_waiting') === 0);
    expect(abandoned).toBe(before + 1);
  });
});
