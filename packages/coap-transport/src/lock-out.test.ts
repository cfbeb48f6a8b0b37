import { parse } from 'coap-packet';
import type { RawClient, RawRequest } from './testing/raw-client';
import { type TestDevice, TestGateway } from './testing/test-gateway';

const SETTINGS = {
  TB_TRANSPORT_IP_RATE_LIMITS_ENABLED: 'true',
  TB_TRANSPORT_MAX_WRONG_CREDENTIALS_PER_IP: '3',
  // Answers to strangers have a limit of their own.
  TANDEM_COAP_SOURCE_REPLIES: '1000',
};
const ECHO = '252';

let gateway: TestGateway;
let client: RawClient;
let device: TestDevice;
afterEach(() => gateway.stop());

async function start(settings: Readonly<Record<string, string>> = {}): Promise<void> {
  gateway = await TestGateway.start({ settings: { ...SETTINGS, ...settings } });
  device = await gateway.device();
  client = await gateway.client();
}

const telemetry = (token: string, more: Partial<RawRequest> = {}): RawRequest => ({
  method: 'POST',
  path: `api/v1/${token}/telemetry`,
  payload: '{"a":1}',
  ...more,
});
const kindOf = async (request: RawRequest) => (await client.ask(request)).kind;
const wrong = (more?: Partial<RawRequest>) => kindOf(telemetry('no-such-token', more));
const right = (more?: Partial<RawRequest>) => kindOf(telemetry(device.token, more));

/** What proves the address of the client: anybody gets one who wants to be provisioned. */
async function echo(): Promise<Buffer> {
  await client.ask({
    method: 'POST',
    path: 'api/v1/provision',
    payload: '{"deviceName":"d","provisionDeviceKey":"k"}',
  });
  const { options } = parse(client.datagrams.at(-1) ?? Buffer.alloc(0));
  return options.find(({ name }) => String(name) === ECHO)?.value as Buffer;
}

describe('Wrong credentials over plain CoAP', () => {
  it('lock nobody out: anybody can write any address on a datagram', async () => {
    await start();
    for (let n = 0; n < 10; n++) expect(await wrong()).toBe('ACK 4.01');
    expect(await right()).toBe('ACK 2.01');
    expect(gateway.gauge('tandem_wrong_credentials_total')).toBe(0);
  });

  it('lock nobody out who has proved its address before, where they do not prove it themselves', async () => {
    await start({ COAP_ECHO: 'on' });
    expect(await right({ echo: await echo() })).toBe('ACK 2.01');
    for (let n = 0; n < 10; n++) expect(await wrong()).toBe('ACK 4.01');
    expect(await right()).toBe('ACK 2.01');
  });

  it('that prove their address lock it out: 4.29 with the time left, and nothing of the message is stored', async () => {
    await start({ COAP_ECHO: 'on' });
    const proof = { echo: await echo() };
    expect(await right(proof)).toBe('ACK 2.01');
    for (let n = 0; n < 3; n++) expect(await wrong(proof)).toBe('ACK 4.01');
    const refused = await client.ask(telemetry(device.token, { ...proof, payload: '{"b":1}' }));
    expect(refused).toMatchObject({ kind: 'ACK 4.29', text: '' });
    expect(refused.maxAge).toBeGreaterThan(30);
    expect(refused.maxAge).toBeLessThanOrEqual(60);
    const block = telemetry(device.token, { ...proof, block1: 8, payload: 'x'.repeat(16) });
    expect(await kindOf(block)).toBe('ACK 4.29');
    expect(gateway.gauge('tandem_coap_upload_bytes')).toBe(0);
    await gateway.core.state.materialiser.caughtUp();
    expect([...(await gateway.core.timeSeries.latest(device.id)).keys()]).toEqual(['a']);
  });

  it('refuse from there whoever wants to be provisioned as well', async () => {
    await start({ COAP_ECHO: 'on' });
    const request = (more: Partial<RawRequest> = {}): RawRequest => ({
      method: 'POST',
      path: 'api/v1/provision',
      payload: '{"deviceName":"d","provisionDeviceKey":"k","provisionDeviceSecret":"s"}',
      ...more,
    });
    const proof = { echo: await echo() };
    expect(await kindOf(request(proof))).toBe('ACK 4.00');
    for (let n = 0; n < 3; n++) await wrong(proof);
    expect(await kindOf(request(proof))).toBe('ACK 4.29');
    expect(await kindOf(request({ ...proof, block1: 8, payload: 'x'.repeat(16) }))).toBe('ACK 4.29');
    // It proves nothing: its peer has proved its address before.
    expect(await kindOf(request())).toBe('ACK 4.00');
  });

  it('of a locked address are refused no more than they lock: what proves nothing is answered as ever', async () => {
    await start({ COAP_ECHO: 'on' });
    const proof = { echo: await echo() };
    for (let n = 0; n < 3; n++) await wrong(proof);
    client = await gateway.client();
    expect([await right(), await wrong()]).toEqual(['ACK 2.01', 'ACK 4.01']);
  });

  it('of a block of a longer message count as well', async () => {
    await start({ COAP_ECHO: 'on' });
    const block = { echo: await echo(), block1: 8, payload: 'x'.repeat(16) };
    for (let n = 0; n < 3; n++) expect(await wrong(block)).toBe('ACK 4.01');
    expect(await wrong(block)).toBe('ACK 4.29');
  });
});
