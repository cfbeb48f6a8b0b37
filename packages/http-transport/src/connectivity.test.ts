import { TestGateway } from './testing/test-gateway';

describe('The connectivity of a device on HTTP', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start();
  });
  afterAll(() => gateway.stop());

  /** Attributes a user sees after the next report. */
  const seen = async (deviceId: string) => {
    await gateway.core.connectivity.flush();
    return (await gateway.core.attributes.read(deviceId, 'SERVER')).map(({ key, value }) => `${key}=${value}`).sort();
  };

  it.each([
    ['telemetry', 'POST', '/telemetry', '{"a":1}'],
    ['attributes it writes', 'POST', '/attributes', '{"a":1}'],
    ['attributes it reads', 'GET', '/attributes', undefined],
    ['a poll', 'GET', '/rpc?timeout=1', undefined],
    ['a reply to a command', 'POST', '/rpc/1', '{}'],
  ])('is active after %s, and connected never', async (_what, method, path, body) => {
    const device = await gateway.device();
    const before = Date.now();
    await gateway.send(method, `/${device.token}${path}`, { body });
    const [active, activity, ...more] = await seen(device.id);
    expect([active, more]).toEqual(['active=true', []]);
    expect(Number(activity?.replace('lastActivityTime=', ''))).toBeGreaterThanOrEqual(before);
  });

  it('is not touched by a request with a wrong token', async () => {
    const device = await gateway.device();
    await gateway.post('/nobody/telemetry', '{"a":1}');
    expect(await seen(device.id)).toEqual([]);
  });
});
