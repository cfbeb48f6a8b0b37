import type { RawClient } from './testing/raw-client';
import { type TestDevice, TestGateway } from './testing/test-gateway';

describe('The connectivity of a device on CoAP', () => {
  let gateway: TestGateway;
  let client: RawClient;
  let device: TestDevice;
  const token = Buffer.from('c1', 'hex');
  beforeAll(async () => {
    gateway = await TestGateway.start();
  });
  afterAll(() => gateway.stop());
  beforeEach(async () => {
    device = await gateway.device();
    client = await gateway.client();
  });

  const path = (feature: string) => `api/v1/${device.token}/${feature}`;
  /** What a user sees after the next report, keys only. */
  const seen = async () => {
    await gateway.core.connectivity.flush();
    return Object.fromEntries(
      (await gateway.core.attributes.read(device.id, 'SERVER')).map(({ key, value }) => [key, value as string]),
    );
  };

  it.each(['telemetry', 'attributes'])('is active after a message to %s, without a session', async (feature) => {
    await client.ask({ method: 'POST', path: path(feature), payload: '{"a":1}' });
    expect(await seen()).toEqual({ active: 'true', lastActivityTime: expect.any(String) });
  });

  it('is not touched by a wrong token', async () => {
    await client.ask({ method: 'POST', path: 'api/v1/nobody/telemetry', payload: '{"a":1}' });
    expect(await seen()).toEqual({});
  });

  it.each(['attributes', 'rpc'])(
    'connects with an observation of %s and disconnects when that is over',
    async (feature) => {
      await client.ask({ path: path(feature), observe: 0, token });
      expect(Object.keys(await seen()).sort()).toEqual(['active', 'lastActivityTime', 'lastConnectTime']);
      await client.ask({ path: path(feature), observe: 1, token });
      expect(await seen()).toHaveProperty('lastDisconnectTime');
    },
  );

  it('stays connected with one observation while another one ends', async () => {
    const other = Buffer.from('c2', 'hex');
    await client.ask({ path: path('attributes'), observe: 0, token });
    await client.ask({ path: path('rpc'), observe: 0, token: other });
    await seen();
    await client.ask({ path: path('attributes'), observe: 1, token });
    expect(await seen()).not.toHaveProperty('lastDisconnectTime');
    await client.ask({ path: path('rpc'), observe: 1, token: other });
    expect(await seen()).toHaveProperty('lastDisconnectTime');
  });
});
