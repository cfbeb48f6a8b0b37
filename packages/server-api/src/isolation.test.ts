import { systemRandom } from '@tandem/core';
import { isPublicPath } from './auth/authenticator';
import type { GuardedRoute, Route } from './routing/route';
import { type Answer, OTHER_ADMIN, ServerUnderTest, SYSTEM_ADMIN } from './testing/server-under-test';

let server: ServerUnderTest;
let owner: string;
let deviceId: string;
let rpcId: string;
let profileId: string;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  server = await ServerUnderTest.start();
  owner = (await server.login()).token;
  tokens.TENANT_ADMIN = owner;
  tokens.OTHER_TENANT = (await server.login(OTHER_ADMIN)).token;
  tokens.SYS_ADMIN = (await server.login(SYSTEM_ADMIN)).token;
  await server.addUser('customer@x.org', { customerId: systemRandom.uuid() });
  tokens.CUSTOMER_USER = (await server.login('customer@x.org')).token;
  await server.addUser('nobodys@x.org');
  tokens.CUSTOMER_OF_NONE = (await server.login('nobodys@x.org')).token;

  deviceId = await server.createDevice(owner, 'owned');
  const session = await server.session(deviceId);
  await server.core.attributes.postClient(session, Buffer.from('{"SECRET_KEY":"SECRET_VALUE"}'));
  await server.core.attributes.saveFromServer(deviceId, 'SHARED', []);
  await server.core.telemetry.post(session, Buffer.from('{"SECRET_KEY":"SECRET_VALUE"}'));
  await server.core.state.materialiser.caughtUp();
  const body = { method: 'SECRET_METHOD', persistent: true, expirationTime: server.clock.now() + 1e9 };
  const rpc = await server.call('POST', `/api/rpc/oneway/${deviceId}`, { token: owner, body });
  rpcId = rpc.json<{ rpcId: string }>().rpcId;
  profileId = session.profileId;
});
afterAll(() => server.stop());

/** Bodies that get past the checks of the body, by path. */
const BODIES: Record<string, (id: string) => object> = {
  '/api/device': (id) => ({ id: { entityType: 'DEVICE', id }, name: 'stolen' }),
  '/api/device/credentials': (id) => ({
    deviceId: { entityType: 'DEVICE', id },
    credentialsType: 'ACCESS_TOKEN',
    credentialsId: 'STOLEN',
  }),
  '/api/rpc/oneway/{deviceId}': () => ({ method: 'm' }),
  '/api/rpc/twoway/{deviceId}': () => ({ method: 'm' }),
  '/api/plugins/rpc/oneway/{deviceId}': () => ({ method: 'm' }),
  '/api/plugins/rpc/twoway/{deviceId}': () => ({ method: 'm' }),
};
const QUERY = 'keys=SECRET_KEY&pageSize=10&page=0';

interface Ids {
  readonly device: string;
  readonly rpc: string;
  readonly profile: string;
}

function callAs(token: string | undefined, route: Route, ids: Ids): Promise<Answer> {
  const path = route.path
    .replace('{entityType}', 'DEVICE')
    .replace('{entityId}', ids.device)
    .replace('{deviceId}', ids.device)
    .replace('{rpcId}', ids.rpc)
    .replace('{deviceProfileId}', ids.profile)
    .replace('{scope}', 'SHARED_SCOPE');
  const body = route.method === 'POST' ? (BODIES[route.path]?.(ids.device) ?? { key: 'stolen' }) : undefined;
  return server.call(route.method, `${path}?${QUERY}`, { token, body });
}

const owned = (): Ids => ({ device: deviceId, rpc: rpcId, profile: profileId });
const absent = (): Ids => ({ device: systemRandom.uuid(), rpc: systemRandom.uuid(), profile: systemRandom.uuid() });
const anonymous = ({ status, text }: Answer, ids: Ids) => {
  let rest = text;
  for (const [name, id] of Object.entries(ids)) rest = rest.replaceAll(id, name);
  return { status, text: rest };
};

const guarded = (): GuardedRoute[] =>
  server.api.routes.filter((route): route is GuardedRoute => route.authorities !== 'public');
const aboutOneThing = () => guarded().filter(({ path }) => /\{(?:entityId|\w+Id)\}/.test(path) || path in BODIES);
const named = (route: Route) => `${route.method} ${route.path}`;

it('covers every route that names a device, a command or a profile', () => {
  expect(aboutOneThing().map(named).length).toBeGreaterThanOrEqual(25);
});

it('gives a foreign tenant the same answer as for what never was, on every route, and changes nothing', async () => {
  for (const route of aboutOneThing()) {
    const [foreign, nothing] = [absent(), absent()];
    const stolen = await callAs(tokens.OTHER_TENANT, route, owned());
    const missing = await callAs(tokens.OTHER_TENANT, route, nothing);
    expect([named(route), stolen.status]).toEqual([named(route), 404]);
    expect([named(route), anonymous(stolen, owned())]).toEqual([named(route), anonymous(missing, nothing)]);
    expect(stolen.text).not.toMatch(/SECRET|owned/);
    // The owner's own look at something absent reads the same, too.
    expect(anonymous(await callAs(owner, route, foreign), foreign)).toEqual(anonymous(stolen, owned()));
  }
  const device = await server.call('GET', `/api/device/${deviceId}`, { token: owner });
  expect(device.json()).toMatchObject({ name: 'owned', version: 1 });
  expect((await server.call('GET', `/api/rpc/persistent/${rpcId}`, { token: owner })).status).toBe(200);
  const keys = await server.call('GET', `/api/plugins/telemetry/DEVICE/${deviceId}/keys/attributes`, { token: owner });
  expect(keys.json<string[]>().sort()).toEqual(['SECRET_KEY', 'active']);
  const open = await server.core.state.rpcs.open(deviceId, server.clock.now());
  expect(open.map(({ id }) => id)).toEqual([rpcId]);
});

it('shows a foreign tenant nothing in lists and look-ups by name', async () => {
  const token = tokens.OTHER_TENANT;
  expect((await server.call('GET', '/api/tenant/devices?deviceName=owned', { token })).status).toBe(404);
  const page = await server.call('GET', '/api/tenant/devices?pageSize=100&page=0', { token });
  expect(page.json()).toEqual({ data: [], totalPages: 0, totalElements: 0, hasNext: false });
  const profiles = await server.call('GET', '/api/deviceProfiles?pageSize=100&page=0', { token });
  expect(profiles.text).not.toContain(profileId);
});

it('does not let a foreign profile be used for a device', async () => {
  const body = { name: 'borrowing', deviceProfileId: { entityType: 'DEVICE_PROFILE', id: profileId } };
  const answer = await server.call('POST', '/api/device', { token: tokens.OTHER_TENANT, body });
  expect(answer.json()).toMatchObject({ status: 400, message: 'Device is referencing non existing device profile!' });
});

it('does not let a foreign access token be taken', async () => {
  const { credentialsId } = (await server.core.state.devices.getCredentials(deviceId)) ?? {};
  const path = `/api/device?accessToken=${credentialsId}`;
  const answer = await server.call('POST', path, { token: tokens.OTHER_TENANT, body: { name: 'thief' } });
  expect(answer.json()).toMatchObject({ status: 400, message: 'Specified credentials are already registered!' });
});

it.each(['SYS_ADMIN', 'CUSTOMER_USER', 'CUSTOMER_OF_NONE'])(
  'refuses %s on every route about something of the tenant, as the route puts it',
  async (who) => {
    for (const route of aboutOneThing()) {
      // Profiles are shown to every user of the tenant by name and transport only.
      if (route.path.startsWith('/api/deviceProfileInfo') && who !== 'SYS_ADMIN') continue;
      const answer = await callAs(tokens[who], route, owned());
      expect([named(route), answer.status]).toEqual([named(route), 403]);
      expect(answer.text).not.toMatch(/SECRET|owned/);
      const denied = "You don't have permission to perform this operation!";
      const asText = 'System administrator is not allowed to perform this operation!';
      if (route.refusal === 'text') expect(answer.text).toBe(who === 'SYS_ADMIN' ? asText : denied);
      else expect(answer.json()).toMatchObject({ status: 403, errorCode: 20, message: denied });
    }
  },
);

it('refuses every authority that the route table does not name', async () => {
  const authorities = ['SYS_ADMIN', 'TENANT_ADMIN', 'CUSTOMER_USER'] as const;
  for (const route of guarded()) {
    for (const authority of authorities.filter((candidate) => !route.authorities.includes(candidate))) {
      const answer = await callAs(tokens[authority], route, absent());
      expect([named(route), authority, answer.status]).toEqual([named(route), authority, 403]);
    }
  }
});

it('lets strangers in where the route table says so and nowhere else', async () => {
  for (const route of server.api.routes) {
    expect([named(route), isPublicPath(route.path)]).toEqual([named(route), route.authorities === 'public']);
    if (route.authorities === 'public') continue;
    expect([named(route), (await callAs(undefined, route, owned())).status]).toEqual([named(route), 401]);
  }
});

it("serves a customer's user the devices of that customer", async () => {
  const customerId = systemRandom.uuid();
  await server.addUser('owner@x.org', { customerId });
  const { token } = await server.login('owner@x.org');
  const id = await server.createDevice(owner, "customer's");
  const device = await server.core.state.devices.getDevice(id);
  if (device) await server.core.state.devices.updateDevice({ ...device, customerId });
  expect((await server.call('GET', `/api/device/${id}`, { token })).status).toBe(200);
  const saved = await server.call('POST', `/api/plugins/telemetry/${id}/SHARED_SCOPE`, { token, body: { a: 1 } });
  expect(saved.status).toBe(200);
  expect((await server.call('DELETE', `/api/device/${id}`, { token })).status).toBe(403);
  expect((await server.call('POST', '/api/device', { token, body: { name: 'own' } })).status).toBe(403);
});
