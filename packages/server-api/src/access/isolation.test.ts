import { type Device, systemRandom, type User } from '@tandem/core';
import { isPublicPath } from '../auth/authenticator';
import type { Route } from '../routing/route';
import {
  ACCESS_RULES,
  type AccessRule,
  absentIds,
  CALLERS,
  type Caller,
  type Ids,
  targetOf,
} from '../testing/access-rules';
import { ADMIN, type Answer, OTHER_ADMIN, ServerUnderTest, SYSTEM_ADMIN } from '../testing/server-under-test';

let server: ServerUnderTest;
let owner: string;
let owned: Ids;
const tokens: Record<Caller, string | undefined> = {
  SYS_ADMIN: undefined,
  OTHER_TENANT: undefined,
  OWN_CUSTOMER: undefined,
  OTHER_CUSTOMER: undefined,
  PUBLIC: undefined,
  STRANGER: undefined,
};

beforeAll(async () => {
  server = await ServerUnderTest.start({ TANDEM_RPC_MAX_PENDING: '1000' });
  owner = (await server.login()).token;
  tokens.OTHER_TENANT = (await server.login(OTHER_ADMIN)).token;
  tokens.SYS_ADMIN = (await server.login(SYSTEM_ADMIN)).token;
  const customerId = await addCustomer('{"isPublic":true}');
  await server.addUser('own@x.org', { customerId });
  tokens.OWN_CUSTOMER = (await server.login('own@x.org')).token;
  const everybody = await server.call('POST', '/api/auth/login/public', { body: { publicId: customerId } });
  tokens.PUBLIC = everybody.json<{ token: string }>().token;
  await server.addUser('customer@x.org', { customerId: await addCustomer() });
  tokens.OTHER_CUSTOMER = (await server.login('customer@x.org')).token;

  const device = await server.createDevice(owner, 'owned');
  await assign(device, customerId);
  const session = await server.session(device);
  await server.core.attributes.postClient(session, Buffer.from('{"SECRET_KEY":"SECRET_VALUE"}'));
  await server.core.telemetry.post(session, Buffer.from('{"SECRET_KEY":"SECRET_VALUE"}'));
  await server.core.state.materialiser.caughtUp();
  const body = { method: 'SECRET_METHOD', persistent: true, expirationTime: server.clock.now() + 1e9 };
  const rpc = await server.call('POST', `/api/rpc/oneway/${device}`, { token: owner, body });
  await assign(await server.createDevice(owner, 'claimed'), customerId);
  const ota = await server.call('POST', '/api/otaPackage', {
    token: owner,
    body: { type: 'FIRMWARE', title: 'firmware of the owner', version: '1' },
  });
  const user = await server.addUser('beside@x.org', { customerId });
  const { key } = await server.core.apiKeys.create(user, { description: 'own', expirationTime: 0, enabled: true });
  owned = {
    device,
    claimed: 'claimed',
    rpc: rpc.json<{ rpcId: string }>().rpcId,
    profile: session.profileId,
    ota: ota.json<{ id: { id: string } }>().id.id,
    tenant: user.tenantId,
    customer: customerId,
    user: user.id,
    apiKey: key.id,
  };
});
afterAll(() => server.stop());

/** Of the first tenant; its title tells its id. */
async function addCustomer(additionalInfo: string | null = null): Promise<string> {
  const { tenantId = '' } = (await server.core.state.accounts.findUserByEmail(ADMIN)) ?? {};
  const { id } = await server.core.customers.create(tenantId, { title: systemRandom.uuid() });
  await server.core.customers.update(tenantId, id, { title: `title-of-${id}`, additionalInfo });
  return id;
}

async function assign(deviceId: string, customerId: string): Promise<void> {
  const device = (await server.core.state.devices.getDevice(deviceId)) as Device;
  await server.core.state.devices.updateDevice({ ...device, customerId });
}

const named = ({ method, path }: Pick<Route, 'method' | 'path'>) => `${method} ${path}`;
const ruleOf = (route: Route): AccessRule => {
  const rule = ACCESS_RULES[named(route)];
  if (!rule) throw new Error(`no rule for ${named(route)}`);
  return rule;
};

async function callAs(token: string | undefined, route: Route, ids: Ids): Promise<Answer> {
  const rule = ruleOf(route);
  const body = route.body ? (rule.body?.(ids) ?? {}) : undefined;
  const own =
    token && token !== tokens.PUBLIC && rule.endsSession ? (await server.login(subjectOf(token))).token : token;
  return server.call(route.method, targetOf(route.path, rule, ids), { token: own, body });
}

const subjectOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).sub;

const anonymous = ({ status, text }: Answer, ids: Ids) => {
  let rest = text;
  for (const [name, id] of Object.entries(ids)) rest = rest.replaceAll(id, name);
  return { status, text: rest };
};

it('has a rule for every call, and no rule without one', () => {
  expect(server.api.routes.map(named).sort()).toEqual(Object.keys(ACCESS_RULES).sort());
});

describe('who aims a call at something of a tenant', () => {
  it.each(CALLERS.filter((caller) => caller !== 'OWN_CUSTOMER' && caller !== 'PUBLIC'))(
    '%s gets what the rules say',
    async (caller) => {
      for (const route of server.api.routes) {
        const answer = await callAs(tokens[caller], route, owned);
        expect([named(route), caller, answer.status]).toEqual([named(route), caller, ruleOf(route).statuses[caller]]);
        expect([named(route), caller, answer.text]).toEqual([
          named(route),
          caller,
          expect.not.stringMatching(/SECRET|"owned"/),
        ]);
      }
    },
  );

  it('a foreign tenant gets the same answer as for what never was, and the owner the same for that', async () => {
    for (const route of server.api.routes.filter((route) => ruleOf(route).statuses.OTHER_TENANT === 404)) {
      const [foreign, nothing] = [absentIds(), absentIds()];
      const stolen = anonymous(await callAs(tokens.OTHER_TENANT, route, owned), owned);
      const missing = anonymous(await callAs(tokens.OTHER_TENANT, route, nothing), nothing);
      expect([named(route), stolen]).toEqual([named(route), missing]);
      expect([named(route), anonymous(await callAs(owner, route, foreign), foreign)]).toEqual([named(route), stolen]);
    }
  });

  it('is refused in the words of the route', async () => {
    const denied = "You don't have permission to perform this operation!";
    const asSystemAdmin = 'System administrator is not allowed to perform this operation!';
    for (const route of server.api.routes) {
      if (route.authorities === 'public') continue;
      for (const caller of ['SYS_ADMIN', 'OTHER_CUSTOMER', 'PUBLIC'] as const) {
        if (ruleOf(route).statuses[caller] !== 403) continue;
        const { text } = await callAs(tokens[caller], route, owned);
        const inWords = caller === 'SYS_ADMIN' ? asSystemAdmin : denied;
        if (route.refusal === 'text') expect([named(route), text]).toEqual([named(route), inWords]);
        else expect(JSON.parse(text)).toMatchObject({ status: 403, errorCode: 20, message: denied });
      }
    }
  });

  it('everybody who has the id of the public customer that has the device gets what the rules say', async () => {
    for (const route of server.api.routes) {
      const answer = await callAs(tokens.PUBLIC, route, owned);
      expect([named(route), answer.status]).toEqual([named(route), ruleOf(route).statuses.PUBLIC]);
    }
  });

  it('with an API key gets what its user gets', async () => {
    const other = (await server.core.state.accounts.findUserByEmail(OTHER_ADMIN)) as User;
    const { value } = await server.core.apiKeys.create(other, { description: 'own', expirationTime: 0, enabled: true });
    for (const route of server.api.routes) {
      const rule = ruleOf(route);
      const body = route.body ? (rule.body?.(owned) ?? {}) : undefined;
      const headers = { 'X-Authorization': `ApiKey ${value}` };
      const { status } = await server.call(route.method, targetOf(route.path, rule, owned), { headers, body });
      expect([named(route), status]).toEqual([named(route), rule.statuses.OTHER_TENANT]);
    }
  });

  it('has changed nothing so far', async () => {
    const device = await server.call('GET', `/api/device/${owned.device}`, { token: owner });
    expect(device.json()).toMatchObject({ name: 'owned' });
    expect((await server.call('GET', `/api/rpc/persistent/${owned.rpc}`, { token: owner })).status).toBe(200);
    const keys = await server.call('GET', `/api/plugins/telemetry/DEVICE/${owned.device}/keys/attributes`, {
      token: owner,
    });
    expect(keys.json<string[]>().sort()).toEqual(['SECRET_KEY', 'active']);
    const open = await server.core.state.rpcs.open(owned.device, server.clock.now());
    expect(open.map(({ id }) => id)).toEqual([owned.rpc]);
  });

  it('the user of the customer that has the device gets what the rules say', async () => {
    for (const route of server.api.routes) {
      const answer = await callAs(tokens.OWN_CUSTOMER, route, owned);
      expect([named(route), answer.status]).toEqual([named(route), ruleOf(route).statuses.OWN_CUSTOMER]);
    }
  });
});

it('shows a foreign tenant nothing in look-ups by name', async () => {
  const token = tokens.OTHER_TENANT;
  expect((await server.call('GET', '/api/tenant/devices?deviceName=owned', { token })).status).toBe(404);
});

it('does not let a foreign profile be used for a device', async () => {
  const body = { name: 'borrowing', deviceProfileId: { entityType: 'DEVICE_PROFILE', id: owned.profile } };
  const answer = await server.call('POST', '/api/device', { token: tokens.OTHER_TENANT, body });
  expect(answer.json()).toMatchObject({ status: 400, message: 'Device is referencing non existing device profile!' });
});

it('does not let a foreign access token be taken', async () => {
  const { credentialsId } = (await server.core.state.devices.getCredentials(owned.device)) ?? {};
  const path = `/api/device?accessToken=${credentialsId}`;
  const answer = await server.call('POST', path, { token: tokens.OTHER_TENANT, body: { name: 'thief' } });
  expect(answer.json()).toMatchObject({ status: 400, message: 'Specified credentials are already registered!' });
});

it('refuses every authority that the route table does not name', async () => {
  const callers = { SYS_ADMIN: tokens.SYS_ADMIN, TENANT_ADMIN: owner, CUSTOMER_USER: tokens.OTHER_CUSTOMER } as const;
  for (const route of server.api.routes) {
    if (route.authorities === 'public') continue;
    for (const [authority, token] of Object.entries(callers)) {
      if (route.authorities.some((named) => named === authority)) continue;
      const answer = await callAs(token, route, absentIds());
      expect([named(route), authority, answer.status]).toEqual([named(route), authority, 403]);
    }
  }
});

it('lets strangers in where the route table says so and nowhere else', () => {
  for (const route of server.api.routes) {
    expect([named(route), isPublicPath(route.path)]).toEqual([named(route), route.authorities === 'public']);
  }
});

it("lets a customer's user change neither profile nor packages of its device, nor make a profile by that", async () => {
  const customerId = await addCustomer();
  await server.addUser('keeper@x.org', { customerId });
  const { token } = await server.login('keeper@x.org');
  const id = await server.createDevice(owner, 'kept');
  await assign(id, customerId);
  const read = async () => (await server.call('GET', `/api/device/${id}`, { token })).json();
  const save = (change: object) => server.call('POST', '/api/device', { token, body: change });
  const before = await read();
  const profiles = async () =>
    (await server.call('GET', '/api/deviceProfileInfos?pageSize=100&page=0', { token: owner })).text;
  const profilesBefore = await profiles();
  const elsewhere = (entityType: string) => ({ entityType, id: systemRandom.uuid() });
  for (const change of [
    { type: 'never heard of' },
    { type: 'never heard of', deviceProfileId: null },
    { deviceProfileId: elsewhere('DEVICE_PROFILE') },
    { firmwareId: elsewhere('OTA_PACKAGE') },
    { softwareId: elsewhere('OTA_PACKAGE') },
    { customerId: elsewhere('CUSTOMER') },
    { customerId: null },
  ]) {
    expect([change, (await save({ ...before, ...change })).status]).toEqual([change, 403]);
  }
  expect([await read(), await profiles()]).toEqual([before, profilesBefore]);
  expect((await save({ ...before, label: 'sent back' })).json()).toEqual({ ...before, label: 'sent back', version: 3 });
  expect((await save({ id: before.id, name: 'kept', label: 'in short' })).json()).toEqual({
    ...before,
    label: 'in short',
    version: 4,
  });
});

it("serves a customer's user the devices of that customer", async () => {
  const customerId = systemRandom.uuid();
  await server.addUser('owner@x.org', { customerId });
  const { token } = await server.login('owner@x.org');
  const id = await server.createDevice(owner, "customer's");
  await assign(id, customerId);
  expect((await server.call('GET', `/api/device/${id}`, { token })).status).toBe(200);
  const saved = await server.call('POST', `/api/plugins/telemetry/${id}/SHARED_SCOPE`, { token, body: { a: 1 } });
  expect(saved.status).toBe(200);
  expect((await server.call('DELETE', `/api/device/${id}`, { token })).status).toBe(403);
  expect((await server.call('POST', '/api/device', { token, body: { name: 'own' } })).status).toBe(403);
});
