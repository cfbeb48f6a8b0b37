import { CoapDevice } from './support/coap-device';
import { cleanUp, GatewayProcess } from './support/gateway-process';
import { ServerClient } from './support/server-client';

afterAll(cleanUp);

interface Listed {
  readonly total: number;
  readonly observations: readonly Readonly<Record<string, unknown>>[];
}

const list = async (gateway: GatewayProcess, query = ''): Promise<Listed> => {
  const response = await fetch(`http://127.0.0.1:${gateway.metrics}/observations${query}`);
  expect(response.status).toBe(200);
  return (await response.json()) as Listed;
};

describe('The observations of a gateway on its metrics port', () => {
  const accessToken = 'an-access-token-of-a-device';
  let gateway: GatewayProcess;
  let server: ServerClient;
  let deviceId: string;
  let coap: CoapDevice;
  beforeAll(async () => {
    gateway = await GatewayProcess.start();
    server = await ServerClient.login(gateway.http);
    deviceId = await server.createDevice(accessToken);
    coap = await CoapDevice.open(gateway.coap, accessToken);
  });

  it('are listed with their device, peer and last acknowledgement, and never with the access token', async () => {
    expect(await list(gateway)).toEqual({ total: 0, observations: [] });
    const attributes = coap.observe('attributes');
    await attributes.next();
    const about = {
      deviceId,
      peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      token: expect.stringMatching(/^([\da-f]{2})+$/),
      type: 'CON',
      ageSeconds: expect.any(Number),
    };
    const silent = { ...about, number: 0, notifications: 0, lastAckSeconds: null, roundTripMillis: null };
    expect((await list(gateway)).observations).toEqual([{ ...silent, kind: 'attributes', state: 'idle' }]);
    await server.share(deviceId, { k: 1 });
    await attributes.next();
    const commands = coap.observe('rpc');
    await commands.next();
    // The acknowledgement was sent before the second registration.
    const { total, observations } = await list(gateway);
    expect(total).toBe(2);
    expect(observations).toEqual([
      {
        ...about,
        kind: 'attributes',
        number: 1,
        notifications: 1,
        lastAckSeconds: expect.any(Number),
        roundTripMillis: expect.any(Number),
        state: 'idle',
      },
      { ...silent, kind: 'rpc', state: expect.any(String), roundTripMillis: expect.any(Number) },
    ]);
    expect(JSON.stringify(observations)).not.toContain(accessToken);
    expect(JSON.stringify(observations)).not.toContain(Buffer.from(accessToken).toString('hex'));
  });

  it('can be narrowed to one device and one peer', async () => {
    const [first] = (await list(gateway)).observations;
    expect((await list(gateway, `?deviceId=${deviceId}`)).total).toBe(2);
    expect((await list(gateway, `?peer=${first?.peer}`)).total).toBe(2);
    expect(await list(gateway, '?peer=127.0.0.1:1')).toEqual({ total: 0, observations: [] });
    expect((await list(gateway, '?limit=1')).observations).toEqual([expect.objectContaining({ kind: 'attributes' })]);
  });

  it('are gone when their device is', async () => {
    expect((await server.send('DELETE', `/api/device/${deviceId}`)).status).toBe(200);
    expect(await list(gateway)).toEqual({ total: 0, observations: [] });
  });
});

it('A gateway without the role coap has none', async () => {
  const gateway = await GatewayProcess.start({ TANDEM_ROLES: 'http,api' });
  expect(await list(gateway)).toEqual({ total: 0, observations: [] });
});
