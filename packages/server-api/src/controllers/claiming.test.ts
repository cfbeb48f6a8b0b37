import { NULL_UUID, systemRandom } from '@tandem/core';
import { type Answer, type DeviceJson, OTHER_ADMIN, ServerUnderTest } from '../testing/server-under-test';

let server: ServerUnderTest;
let admin: string;
/** Users of two customers. */
let ours: { token: string; customerId: string };
let theirs: typeof ours;
let id: string;
let name: string;
let count = 0;

beforeAll(async () => {
  server = await ServerUnderTest.start({ TANDEM_CLAIM_FAILURES: '5:60' });
  admin = (await server.login()).token;
  [ours, theirs] = [await aCustomer('ours@x.org'), await aCustomer('theirs@x.org')];
});
beforeEach(async () => {
  server.clock.advance(60_000);
  name = `device ${++count}`;
  id = await server.createDevice(admin, name);
});
afterAll(() => server.stop());

async function aCustomer(email: string) {
  const customerId = systemRandom.uuid();
  await server.addUser(email, { customerId });
  return { token: (await server.login(email)).token, customerId };
}

const pathOf = (deviceName: string) => `/api/customer/device/${encodeURIComponent(deviceName)}/claim`;
const claim = (token: string, body?: object | string): Promise<Answer> =>
  server.call('POST', pathOf(name), { token, body });
const reclaim = (token: string): Promise<Answer> => server.call('DELETE', pathOf(name), { token });
const register = async (secretKey?: string, durationMs?: number) =>
  server.core.claiming.register(await server.session(id), { secretKey, durationMs });
const attributes = (body: object) =>
  server.call('POST', `/api/plugins/telemetry/DEVICE/${id}/SERVER_SCOPE`, { token: admin, body });

describe('POST /api/customer/device/{deviceName}/claim', () => {
  it('gives the device to the customer of the user, and shows it as that customer sees it', async () => {
    await register('value');
    const answer = await claim(ours.token, { secretKey: 'value' });
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.json())).toEqual(['device', 'response']);
    const { device, response } = answer.json<{ device: DeviceJson; response: string }>();
    expect(response).toBe('SUCCESS');
    expect(device).toMatchObject({ name, customerId: { entityType: 'CUSTOMER', id: ours.customerId } });
    expect((await server.call('GET', `/api/device/${id}`, { token: ours.token })).json()).toEqual(device);
    expect((await server.call('GET', `/api/device/${id}`, { token: theirs.token })).status).toBe(403);
  });

  it.each([undefined, {}, { secretKey: null }, { secretKey: '' }, { other: 1 }])(
    'takes the body %j for an empty secret',
    async (body) => {
      await register();
      expect((await claim(ours.token, body)).status).toBe(200);
    },
  );

  it('takes a number for its text', async () => {
    await register('123');
    expect((await claim(ours.token, { secretKey: 123 })).status).toBe(200);
  });

  it.each<[why: string, prepare: () => Promise<unknown>, response: string]>([
    ['nothing was said by the device', async () => {}, 'FAILURE'],
    ['another secret was', () => register('other'), 'FAILURE'],
    [
      'the time is over',
      async () => {
        await register('value', 1);
        server.clock.advance(1);
      },
      'FAILURE',
    ],
    [
      'somebody has the device',
      async () => {
        await register('value');
        await claim(theirs.token, { secretKey: 'value' });
      },
      'CLAIMED',
    ],
  ])('is refused with 400 and a bare JSON string when %s', async (_why, prepare, response) => {
    await prepare();
    const answer = await claim(ours.token, { secretKey: 'value' });
    expect([answer.status, answer.text]).toEqual([400, `"${response}"`]);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  });

  it('loses the claim to a wrong secret', async () => {
    await register('value');
    expect((await claim(theirs.token, { secretKey: 'wrong' })).text).toBe('"FAILURE"');
    expect((await claim(ours.token, { secretKey: 'value' })).text).toBe('"FAILURE"');
  });

  it('rests on the attribute claimingData as well, which goes with claimingAllowed', async () => {
    await attributes({
      claimingData: { secretKey: 'value', expirationTime: server.clock.now() + 1_000 },
      claimingAllowed: true,
      kept: 1,
    });
    expect((await claim(ours.token, { secretKey: 'value' })).status).toBe(200);
    const path = `/api/plugins/telemetry/DEVICE/${id}/keys/attributes/SERVER_SCOPE`;
    expect((await server.call('GET', path, { token: admin })).json<string[]>().sort()).toEqual(['active', 'kept']);
  });

  it.each([
    ['no JSON', '{"secretKey":'],
    ['lenient JSON', '{secretKey:"value"}'],
    ['an array', '[]'],
    ['a text', '"value"'],
    ['a secret that is an object', '{"secretKey":{}}'],
  ])('refuses %s by a JSON error, and the claim stays', async (_what, body) => {
    await register('value');
    expect((await claim(ours.token, body)).json()).toMatchObject({ status: 400, errorCode: 31 });
    expect((await claim(ours.token, { secretKey: 'value' })).status).toBe(200);
  });

  it('knows neither a device that never was nor one of another tenant', async () => {
    const { token } = await server.login(OTHER_ADMIN);
    const foreign = `foreign ${count}`;
    const foreignId = await server.createDevice(token, foreign);
    await server.core.claiming.register(await server.session(foreignId), {});
    for (const unknown of [foreign, 'never', ' ', '%', '../x']) {
      const answer = await server.call('POST', pathOf(unknown), { token: ours.token, body: {} });
      expect(answer.json()).toMatchObject({
        status: 404,
        errorCode: 32,
        message: "Requested item wasn't found!",
      });
    }
    expect((await server.core.state.devices.getDevice(foreignId))?.customerId).toBe(NULL_UUID);
  });

  it.each(['a/b', 'ü ö', '100%', 'x?y#z'])('finds a device by the name %s', async (odd) => {
    name = odd;
    id = await server.createDevice(admin, odd);
    await register();
    expect((await claim(ours.token)).status).toBe(200);
  });

  it('is for users of customers alone', async () => {
    await register();
    expect((await claim(admin)).json()).toMatchObject({ status: 403, errorCode: 20 });
    expect((await server.call('POST', pathOf(name))).status).toBe(401);
    await server.addUser('nobody@x.org');
    const { token } = await server.login('nobody@x.org');
    expect((await claim(token)).json()).toMatchObject({ status: 403, errorCode: 20 });
  });

  it('is refused with 429 and a time to come again after too many wrong secrets, also with the right one', async () => {
    await register('value');
    const guesser = await aCustomer('guesser@x.org');
    for (let n = 0; n < 5; n++) expect((await claim(guesser.token, { secretKey: `${n}` })).status).toBe(400);
    await register('value');
    const answer = await claim(guesser.token, { secretKey: 'value' });
    expect(answer.json()).toMatchObject({ status: 429, errorCode: 33 });
    expect(answer.headers.get('retry-after')).toBe('12');
    expect((await claim(ours.token, { secretKey: 'value' })).status).toBe(200);
  });

  it('writes no secret into the log', async () => {
    await register('TOP-SECRET');
    await claim(ours.token, { secretKey: 'TOP-SECRET-GUESS' });
    expect(server.logged.join('\n')).not.toContain('TOP-SECRET');
  });
});

describe('DELETE /api/customer/device/{deviceName}/claim', () => {
  const owner = async () => (await server.core.state.devices.getDevice(id))?.customerId;

  it.each(['the customer', 'an administrator'])('takes the device back for %s, once and again', async (who) => {
    await register();
    await claim(ours.token);
    for (let n = 0; n < 2; n++) {
      const { status, text } = await reclaim(who === 'the customer' ? ours.token : admin);
      expect([status, text]).toEqual([200, '']);
      expect(await owner()).toBe(NULL_UUID);
    }
    expect((await claim(theirs.token)).text).toBe('"FAILURE"');
    await register();
    expect((await claim(theirs.token)).status).toBe(200);
  });

  it('is not for another customer, nor for another tenant', async () => {
    await register();
    await claim(ours.token);
    expect((await reclaim(theirs.token)).json()).toMatchObject({ status: 403, errorCode: 20 });
    expect((await reclaim((await server.login(OTHER_ADMIN)).token)).json()).toMatchObject({
      status: 404,
      errorCode: 32,
    });
    expect(await owner()).toBe(ours.customerId);
  });
});
