import { TestGateway } from '../testing/test-gateway';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start({
    settings: { TANDEM_HTTP_MAX_POLLS_PER_DEVICE: '3' },
    backend: { call: () => new Promise(() => {}) },
  });
});
afterAll(() => gateway.stop());

const waitingCommands = () => gateway.gauge('tandem_client_rpcs_waiting');

it('one device gets 429 beyond its share of polls and waiting commands together, and another is served', async () => {
  const [device, other] = [await gateway.device(), await gateway.device()];
  const updates = gateway.connect();
  updates.write(`GET /api/v1/${device.token}/attributes/updates HTTP/1.1\r\nHost: x\r\n\r\n`);
  const commands = gateway.connect();
  commands.write(`GET /api/v1/${device.token}/rpc HTTP/1.1\r\nHost: x\r\n\r\n`);
  const body = '{"method":"m","params":{}}';
  const call = gateway.connect();
  call.write(`POST /api/v1/${device.token}/rpc HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  await gateway.polls(2);
  while (waitingCommands() < 1) await new Promise(setImmediate);

  for (const refused of [await gateway.get(`/${device.token}/rpc`), await gateway.post(`/${device.token}/rpc`, body)]) {
    expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': '5' } });
    expect(JSON.parse(refused.text)).toMatchObject({ errorCode: 33, message: expect.stringContaining('this device') });
  }
  expect(gateway.gauge('tandem_limit_hits_total')).toBe(2);
  expect((await gateway.get(`/${other.token}/rpc?timeout=1`)).status).toBe(408);

  for (const socket of [updates, commands, call]) socket.destroy();
  await gateway.polls(0);
  while (waitingCommands() > 0) await new Promise(setImmediate);
  expect((await gateway.get(`/${device.token}/rpc?timeout=1`)).status).toBe(408);
});
