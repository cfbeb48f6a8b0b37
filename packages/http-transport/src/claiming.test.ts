import { type ClaimingUser, systemRandom } from '@tandem/core';
import { TestGateway } from './testing/test-gateway';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start();
});
afterAll(() => gateway.stop());

const aUser = (): ClaimingUser => ({
  id: systemRandom.uuid(),
  tenantId: gateway.tenantId,
  customerId: systemRandom.uuid(),
  authority: 'CUSTOMER_USER',
});
const claim = async (token: string, secret: string) =>
  (await gateway.core.claiming.claim(aUser(), `device of ${token}`, secret)).response;

describe('A device that says that it can be claimed', () => {
  it.each([
    ['a secret', '{"secretKey":"value","durationMs":60000}', 'value'],
    ['no body', undefined, ''],
    ['white space', ' \r\n\t', ''],
    ['an empty object', '{}', ''],
    ['a number for a secret', '{"secretKey":123,"durationMs":"5000"}', '123'],
    ['what a shell leaves of it', '{secretKey: value}', 'value'],
  ])('by %s can be claimed with it', async (_how, body, secret) => {
    const { token } = await gateway.device();
    const { status, headers, text } = await gateway.post(`/${token}/claim`, body);
    expect([status, headers['content-length'], text]).toEqual([200, '0', '']);
    expect(await claim(token, secret)).toBe('SUCCESS');
  });

  it('may keep its token out of the path', async () => {
    const { token } = await gateway.device();
    const headers = { Authorization: `Bearer ${token}` };
    expect((await gateway.send('POST', '/claim', { body: '{"secretKey":"s"}', headers })).status).toBe(200);
    expect(await claim(token, 's')).toBe('SUCCESS');
  });

  it.each(['[1]', '5', '{bad', '{"secretKey":null}', '{"durationMs":"soon"}'])(
    'is told that %s is wrong',
    async (body) => {
      const { token } = await gateway.device();
      expect((await gateway.post(`/${token}/claim`, body)).status).toBe(400);
      expect(await claim(token, '')).toBe('FAILURE');
    },
  );

  it('is one that has a token: a stranger is 401, whatever the body; GET is 405', async () => {
    for (const body of ['{}', '[1]', undefined]) {
      const { status, text } = await gateway.post('/nope/claim', body);
      expect([status, text]).toEqual([401, '']);
    }
    expect((await gateway.get('/nope/claim')).status).toBe(405);
  });
});
