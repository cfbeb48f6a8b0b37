import { startRedis } from '../packages/state-redis/src/testing/redis-server';
import { CoapDevice } from './support/coap-device';
import { cleanUp, GatewayProcess } from './support/gateway-process';
import { HttpDevice } from './support/http-device';
import { ServerClient } from './support/server-client';

afterAll(cleanUp);

const ROUNDS = 5;
const PROFILES = [
  ['creating', 'ka', 'ALLOW_CREATE_NEW_DEVICES'],
  ['checking', 'kc', 'CHECK_PRE_PROVISIONED_DEVICES'],
] as const;

async function overHttp({ http }: GatewayProcess, body: string) {
  const answer = await fetch(`http://127.0.0.1:${http}/api/v1/provision`, { method: 'POST', body });
  return { status: answer.status, retryAfter: answer.headers.get('Retry-After'), text: await answer.text() };
}

describe('Two gateways on one Redis', () => {
  let redis: Awaited<ReturnType<typeof startRedis>>;
  let gateways: readonly GatewayProcess[];
  let server: ServerClient;

  beforeAll(async () => {
    redis = await startRedis();
    const settings = { REDIS_URL: redis.url, TANDEM_PROVISION_MAX_FAILURES: '3', TANDEM_PROVISION_LOCK_TIME: '60000' };
    gateways = [await GatewayProcess.start(settings), await GatewayProcess.start(settings)];
    server = await ServerClient.login(gateways[0]?.http ?? 0);
    for (const [name, provisionDeviceKey, provisionType] of PROFILES) {
      const provisionConfiguration = { type: provisionType, provisionDeviceSecret: 's' };
      const profile = { name, type: 'DEFAULT', transportType: 'DEFAULT', provisionType, provisionDeviceKey };
      const made = await server.send('POST', '/api/deviceProfile', {
        ...profile,
        profileData: { provisionConfiguration },
      });
      expect(made.status).toBe(200);
    }
  });
  afterAll(async () => {
    await Promise.all(gateways.map((gateway) => gateway.stop()));
    await redis.stop();
  });

  /** The same request at each door of each gateway at once. */
  async function everywhere(body: object): Promise<readonly { readonly status: string }[]> {
    const text = JSON.stringify(body);
    const asked = gateways.flatMap((gateway) => [
      overHttp(gateway, text),
      CoapDevice.open(gateway.coap, 'any').then(async (device) => {
        const answer = await device.post('provision', text);
        device.close();
        return answer;
      }),
    ]);
    // 5.03 has no payload: the same request is under way at the other one.
    return (await Promise.all(asked)).map(({ text }) => (text === '' ? { status: '5.03' } : JSON.parse(text)));
  }
  const successes = (answers: readonly { readonly status: string }[]) =>
    answers.filter(({ status }) => status === 'SUCCESS');

  it('make one device of many requests for it, which then gets in everywhere', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const token = `made-${round}`;
      const answers = await everywhere({
        deviceName: `made ${round}`,
        provisionDeviceKey: 'ka',
        provisionDeviceSecret: 's',
        token,
      });
      expect(successes(answers)).toEqual([
        { status: 'SUCCESS', credentialsType: 'ACCESS_TOKEN', credentialsValue: token },
      ]);
      for (const { http } of gateways) {
        expect((await new HttpDevice(http, token).post('telemetry', '{"a":1}')).status).toBe(200);
      }
    }
  });

  it('tell a device that was made before its token once', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const [deviceName, token] = [`known ${round}`, `known-${round}`];
      const made = await server.send('POST', `/api/device?accessToken=${token}`, {
        name: deviceName,
        type: 'checking',
      });
      expect(made.status).toBe(200);
      const answers = await everywhere({ deviceName, provisionDeviceKey: 'kc', provisionDeviceSecret: 's' });
      expect(successes(answers)).toEqual([
        { status: 'SUCCESS', credentialsType: 'ACCESS_TOKEN', credentialsValue: token },
      ]);
      const { id } = JSON.parse(made.text);
      const path = `/api/plugins/telemetry/DEVICE/${id.id}/values/attributes/SERVER_SCOPE?keys=provisionState`;
      expect(JSON.parse((await server.send('GET', path)).text)).toMatchObject([{ value: 'provisioned' }]);
    }
  });

  it('refuse together who tries keys at either of them', async () => {
    const guess = JSON.stringify({ provisionDeviceKey: 'guessed', provisionDeviceSecret: 's' });
    const [one, other] = gateways as [GatewayProcess, GatewayProcess];
    for (const gateway of [one, other, one]) expect((await overHttp(gateway, guess)).text).toContain('NOT_FOUND');
    for (const gateway of [one, other]) {
      const { status, retryAfter } = await overHttp(gateway, guess);
      expect(status).toBe(429);
      expect(Number(retryAfter)).toBeGreaterThan(50);
    }
  });
});
