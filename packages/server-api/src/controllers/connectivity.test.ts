import { type Core, MetricsRegistry, makeCore, silentLogger, systemRandom } from '@tandem/core';
import { ServerUnderTest } from '../testing/server-under-test';

const TIMEOUT = 600_000;

describe('The connectivity of a device in the REST API', () => {
  let server: ServerUnderTest;
  let token: string;
  let id: string;
  let created: number;
  /** The device's side is at two processes that know nothing of each other; the monitor runs at both. */
  let one: Core;
  let other: Core;
  let devices = 0;
  beforeAll(async () => {
    server = await ServerUnderTest.start();
    token = (await server.login()).token;
    one = server.core;
    const metrics = new MetricsRegistry();
    const platform = { clock: server.clock, random: systemRandom, logger: silentLogger, metrics };
    other = makeCore(one.state, one.settings, platform);
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    id = await server.createDevice(token, `device ${++devices}`);
    created = server.clock.now();
  });

  const scope = () => `/api/plugins/telemetry/DEVICE/${id}/SERVER_SCOPE`;
  const seen = async (): Promise<Record<string, unknown>> => {
    const path = `/api/plugins/telemetry/DEVICE/${id}/values/attributes/SERVER_SCOPE`;
    const found = (await server.call('GET', path, { token })).json<Array<{ key: string; value: unknown }>>();
    return Object.fromEntries(found.map(({ key, value }) => [key, value]));
  };
  const info = async () =>
    (await server.call('GET', `/api/device/info/${id}`, { token })).json<{ active: boolean }>().active;
  const timeout = (inactivityTimeout: unknown) => server.call('POST', scope(), { token, body: { inactivityTimeout } });
  /** A message of the device, told by its process. */
  const hears = async (process: Core) => {
    process.connectivity.seen(id);
    await process.connectivity.flush();
    return server.clock.now();
  };
  const check = () => Promise.all([one, other].map(({ connectivity }) => connectivity.settle()));
  const later = (time: number) => server.clock.advance(time);

  it('shows a new device as not active, and nothing else of it', async () => {
    expect(await seen()).toEqual({ active: false });
    expect(await info()).toBe(false);
  });

  it('shows a device that sent something as active, since its newest message, whichever process took it', async () => {
    await hears(one);
    later(1_000);
    const newest = await hears(other);
    expect(await seen()).toEqual({ active: true, lastActivityTime: newest });
    expect(await info()).toBe(true);
  });

  it('shows a device as inactive 10 minutes after its last message and not before, and when that was found', async () => {
    const last = await hears(other);
    later(TIMEOUT - 1);
    await check();
    expect(await seen()).toEqual({ active: true, lastActivityTime: last });
    later(1);
    await check();
    expect(await seen()).toEqual({ active: false, lastActivityTime: last, inactivityAlarmTime: server.clock.now() });
    expect(await info()).toBe(false);
  });

  it('counts a message at one process where the monitor of the other looks', async () => {
    await hears(one);
    later(TIMEOUT - 1);
    await hears(other);
    later(1);
    await check();
    expect((await seen()).active).toBe(true);
  });

  it('shows a device that comes back as active, and still when it was found silent', async () => {
    await hears(one);
    later(TIMEOUT);
    await check();
    const alarm = server.clock.now();
    later(5_000);
    const back = await hears(other);
    expect(await seen()).toEqual({ active: true, lastActivityTime: back, inactivityAlarmTime: alarm });
  });

  it('gives a new device the time of its timeout before it counts as silent', async () => {
    later(TIMEOUT - 1);
    await check();
    expect(await seen()).toEqual({ active: false });
    later(1);
    await check();
    expect(await seen()).toEqual({ active: false, inactivityAlarmTime: created + TIMEOUT });
  });

  it('counts a changed inactivityTimeout at once, and one that was deleted', async () => {
    await hears(one);
    later(1_000);
    await timeout(1_000);
    expect(await seen()).toMatchObject({ active: false, inactivityAlarmTime: server.clock.now() });
    expect(await info()).toBe(false);
    await server.call('DELETE', `${scope()}?keys=inactivityTimeout`, { token });
    expect(await info()).toBe(true);
  });

  it('counts a longer one at once', async () => {
    await hears(other);
    await timeout(TIMEOUT * 2);
    later(TIMEOUT);
    await check();
    expect(await info()).toBe(true);
    later(TIMEOUT);
    await check();
    expect(await info()).toBe(false);
  });

  it.each([0, -1, 'soon', true, null])('takes the default for the inactivityTimeout %j', async (given) => {
    await hears(one);
    await timeout(given);
    later(TIMEOUT - 1);
    await check();
    expect(await info()).toBe(true);
    later(1);
    await check();
    expect(await info()).toBe(false);
  });

  it('shows when the first session of a device began and the last one ended, over both processes', async () => {
    const [first, second] = [one.connectivity.open(id), other.connectivity.open(id)];
    const connected = server.clock.now();
    await Promise.all([one.connectivity.flush(), other.connectivity.flush()]);
    expect(await seen()).toEqual({ active: false, lastConnectTime: connected });
    later(1_000);
    first.close();
    await one.connectivity.flush();
    expect(await seen()).not.toHaveProperty('lastDisconnectTime');
    later(1_000);
    second.close();
    await other.connectivity.flush();
    expect(await seen()).toEqual({
      active: false,
      lastConnectTime: connected,
      lastDisconnectTime: connected + 2_000,
    });
  });

  it('has numbers for times and a boolean for active', async () => {
    one.connectivity.open(id).close();
    await hears(one);
    later(TIMEOUT);
    await check();
    for (const [key, value] of Object.entries(await seen())) {
      expect([key, typeof value]).toEqual([key, key === 'active' ? 'boolean' : 'number']);
    }
  });

  it('leaves nothing of a device that is gone, also where a process hears of it late', async () => {
    await hears(one);
    expect((await server.call('DELETE', `/api/device/${id}`, { token })).status).toBe(200);
    await hears(other);
    later(TIMEOUT);
    await check();
    expect(await one.state.attributes.read(id, 'SERVER')).toEqual([]);
  });
});
