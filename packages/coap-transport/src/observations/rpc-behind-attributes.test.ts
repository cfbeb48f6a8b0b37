import type { RawClient, Received } from '../testing/raw-client';
import { type TestDevice, TestGateway, until } from '../testing/test-gateway';

let gateway: TestGateway;
let client: RawClient;
let device: TestDevice;
const attributes = Buffer.from('a1', 'hex');
const commands = Buffer.from('c1', 'hex');

beforeAll(async () => {
  gateway = await TestGateway.start({
    settings: { COAP_TIMEOUT: '400', TANDEM_COAP_ACK_TIMEOUT: '300', TANDEM_COAP_MAX_RETRANSMIT: '2' },
  });
});
afterAll(() => gateway.stop());

/** A device that observes both, and has one attribute notification it does not acknowledge. */
beforeEach(async () => {
  device = await gateway.device();
  client = await gateway.client();
  await client.ask({ path: `api/v1/${device.token}/attributes`, observe: 0, token: attributes });
  await client.ask({ path: `api/v1/${device.token}/rpc`, observe: 0, token: commands });
  client.acknowledges = false;
  await gateway.share(device, { a: '1' });
});
afterEach(async () => {
  await gateway.remove(device).catch(() => {});
  await until(() => gateway.observations === 0);
});

/** Makes a command and an attribute wait for the same place; resolves with the attribute's notification, which got it. */
async function inTheWay(send: () => Promise<unknown>) {
  const first = await client.notification(attributes);
  await gateway.share(device, { a: '2' });
  await send();
  client.acknowledge(first);
  return client.notification(attributes);
}

/** What comes once everything that was waiting could go. */
async function acknowledgedUntilQuiet(attribute: Received): Promise<string[]> {
  client.acknowledges = true;
  client.acknowledge(attribute);
  await gateway.share(device, { a: '3' });
  const last = await client.notification(attributes);
  return [...(await client.rest()), last].map(({ text }) => text);
}

describe('a command behind a notification of attributes', () => {
  it('is told when that one has been acknowledged', async () => {
    const attribute = await inTheWay(() => gateway.command(device, { method: 'wait' }));
    client.acknowledges = true;
    client.acknowledge(attribute);
    expect((await client.notification(commands)).text).toBe('{"id":0,"method":"wait","params":{}}');
  });

  it('is not told when its time is over by then', async () => {
    let outcome: Promise<unknown> = Promise.resolve();
    let id = '';
    const attribute = await inTheWay(async () => {
      const sent = await gateway.command(device, { timeout: 300, expirationTime: Date.now() + 300 });
      ({ outcome, id } = sent);
    });
    await outcome;
    expect((await acknowledgedUntilQuiet(attribute)).filter((text) => text.includes('method'))).toEqual([]);
    expect((await gateway.rpc(id))?.status).not.toBe('SENT');
  });

  it('of which no answer is wanted is told once, though a poll has asked meanwhile', async () => {
    const attribute = await inTheWay(() => gateway.command(device, { oneway: true, timeout: 30_000 }));
    const session = await gateway.session(device);
    const poll = new Promise((resolve) => gateway.core.rpcDelivery.openPoll(session, 100, resolve));
    expect(await poll).toEqual({ kind: 'expired' });
    client.acknowledges = true;
    client.acknowledge(attribute);
    expect((await client.notification(commands)).text).toContain('"method":"m"');
    await gateway.share(device, { a: '3' });
    const last = await client.notification(attributes);
    expect([...(await client.rest()), last].map(({ text }) => text)).toEqual(['{"a":3}']);
  });

  it('waits for the next registration, without a try used up, when the device is gone', async () => {
    let id = '';
    await inTheWay(async () => {
      const expirationTime = Date.now() + 3_600_000;
      ({ id } = await gateway.command(device, { persistent: true, retries: 0, expirationTime }));
    });
    await until(() => gateway.observations === 0);
    expect(await gateway.rpc(id)).toMatchObject({ status: 'QUEUED', attempts: 0 });
    const back = await gateway.client();
    await back.ask({ path: `api/v1/${device.token}/rpc`, observe: 0, token: commands });
    expect((await back.notification(commands)).text).toContain('"id":0');
  });
});
