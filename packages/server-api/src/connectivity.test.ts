import { ServerUnderTest } from './testing/server-under-test';

describe('The connectivity of a device in the REST API', () => {
  let server: ServerUnderTest;
  let token: string;
  let id: string;
  let devices = 0;
  beforeAll(async () => {
    server = await ServerUnderTest.start();
    token = (await server.login()).token;
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    id = await server.createDevice(token, `device ${++devices}`);
    server.core.connectivity.seen(id);
    await server.core.connectivity.flush();
  });

  const scope = () => `/api/plugins/telemetry/DEVICE/${id}/SERVER_SCOPE`;
  const seen = async () => {
    const path = `/api/plugins/telemetry/DEVICE/${id}/values/attributes/SERVER_SCOPE`;
    const found = (await server.call('GET', path, { token })).json<Array<{ key: string; value: unknown }>>();
    return Object.fromEntries(found.map(({ key, value }) => [key, value]));
  };
  const info = async () =>
    (await server.call('GET', `/api/device/info/${id}`, { token })).json<{ active: boolean }>().active;

  it('shows a device that sent something as active', async () => {
    expect(await seen()).toEqual({ active: true, lastActivityTime: expect.any(Number) });
    expect(await info()).toBe(true);
  });

  it('counts a changed inactivityTimeout at once, and one that was deleted', async () => {
    server.clock.advance(1_000);
    await server.call('POST', scope(), { token, body: { inactivityTimeout: 1000 } });
    expect(await seen()).toMatchObject({ active: false, inactivityAlarmTime: expect.any(Number) });
    expect(await info()).toBe(false);
    await server.call('DELETE', `${scope()}?keys=inactivityTimeout`, { token });
    expect(await info()).toBe(true);
  });
});
