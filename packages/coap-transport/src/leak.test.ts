import type { RawClient } from './testing/raw-client';
import { type TestDevice, TestGateway, until } from './testing/test-gateway';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start();
});
afterAll(() => gateway.stop());

type Feature = 'attributes' | 'rpc';
const TOKENS = { attributes: Buffer.from('a1', 'hex'), rpc: Buffer.from('b1', 'hex') } as const;

const register = (client: RawClient, device: TestDevice, feature: Feature, token: Buffer = TOKENS[feature]) =>
  client.ask({ path: `api/v1/${device.token}/${feature}`, observe: 0, token });

/** Makes each observation of the device say something, and answers it with a Reset. */
async function rejectBoth(client: RawClient, device: TestDevice): Promise<void> {
  client.acknowledges = false;
  await gateway.share(device, { x: '1' });
  client.reset(await client.notification(TOKENS.attributes));
  await gateway.command(device, { persistent: true });
  client.reset(await client.notification(TOKENS.rpc));
}

const ENDS: Record<string, (client: RawClient, device: TestDevice) => Promise<unknown>> = {
  'a Reset to a notification': rejectBoth,
  'Observe 1': async (client, device) => {
    for (const feature of ['attributes', 'rpc'] as const) {
      await client.ask({ path: `api/v1/${device.token}/${feature}`, observe: 1, token: TOKENS[feature] });
    }
  },
  'its deletion': (_client, device) => gateway.remove(device),
  'its deletion while notifications are outstanding': async (client, device) => {
    client.acknowledges = false;
    await Promise.all([gateway.share(device, { x: '1' }), gateway.command(device, { persistent: true })]);
    await client.next();
    await gateway.remove(device);
  },
  'new credentials': (_client, device) => gateway.changeToken(device, `new-${device.token}`),
  'registrations that follow one another and a deletion': async (client, device) => {
    for (let i = 0; i < 5; i++)
      for (const feature of ['attributes', 'rpc'] as const) await register(client, device, feature);
    await gateway.remove(device);
  },
  'take-overs and a deletion': async (_client, device) => {
    const others = await Promise.all([gateway.client(), gateway.client(), gateway.client()]);
    for (const other of others)
      for (const feature of ['attributes', 'rpc'] as const) await register(other, device, feature);
    await gateway.remove(device);
  },
  'a deletion in the middle of registrations': async (client, device) => {
    const other = await gateway.client();
    await Promise.all([
      register(client, device, 'attributes', Buffer.from('a2', 'hex')),
      register(other, device, 'rpc'),
      gateway.remove(device),
      register(other, device, 'attributes'),
      register(client, device, 'rpc', Buffer.from('b2', 'hex')),
    ]);
  },
  'a registration of the other feature with the same token and a deletion': async (client, device) => {
    await register(client, device, 'rpc', TOKENS.attributes);
    await register(client, device, 'attributes', TOKENS.rpc);
    await gateway.remove(device);
  },
};

it.each(Object.keys(ENDS))('nothing is held for the observations of a device after %s', async (how) => {
  const end = ENDS[how];
  if (!end) throw new Error('no such end');
  for (let round = 0; round < 20; round++) {
    const device = await gateway.device();
    const client = await gateway.client();
    for (const feature of ['attributes', 'rpc'] as const) await register(client, device, feature);
    expect(gateway.sessionEndListeners).toBe(2);
    await end(client, device);
    await until(
      () => gateway.observations === 0,
      () => `${gateway.observations} observations are left`,
    );
  }
  expect(gateway.sessionEndListeners).toBe(0);
  expect(gateway.gauge('tandem_devices_watched')).toBe(0);
  expect(gateway.gauge('tandem_coap_running_exchanges')).toBe(0);
});

it('a registration that is refused holds nothing', async () => {
  const device = await gateway.device(await gateway.profile({ transportType: 'MQTT' }));
  const client = await gateway.client();
  for (const feature of ['attributes', 'rpc'] as const) {
    expect(await register(client, device, feature)).toMatchObject({ kind: 'ACK 5.00', observe: undefined });
  }
  expect(gateway.observations).toBe(0);
  expect(gateway.sessionEndListeners).toBe(0);
  expect(gateway.gauge('tandem_devices_watched')).toBe(0);
});
