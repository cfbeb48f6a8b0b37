import { type Customer, NULL_UUID, systemRandom } from '@tandem/core';
import { aCustomer } from '@tandem/core/testing';
import { ADMIN, OTHER_ADMIN, ServerUnderTest } from '../testing/server-under-test';

let server: ServerUnderTest;
let token: string;
let foreignToken: string;
let tenantId: string;
let customers: readonly Customer[];
let ofCustomer: readonly string[];
/** Name -> id. */
const ids = new Map<string, string>();

interface DeviceJson {
  readonly id: { readonly id: string };
  readonly name: string;
  readonly type: string;
  readonly customerId: { readonly id: string };
  readonly deviceProfileId: { readonly id: string };
}
interface Page {
  readonly data: DeviceJson[];
  readonly totalElements: number;
  readonly totalPages: number;
  readonly hasNext: boolean;
}

const call = (method: string, path: string, as = token, body?: object) =>
  server.call(method, path, { token: as, body });
const get = (path: string, as = token) => call('GET', path, as);
const idOf = (name: string) => ids.get(name) ?? '';
const BY_NAME = 'page=0&sortProperty=name&sortOrder=ASC';
const list = async (path: string, as = token) => (await get(path, as)).json<Page>();
const names = async (path: string, as = token) => (await list(path, as)).data.map(({ name }) => name);

async function makeCustomer(of: string, given: Partial<Customer> = {}): Promise<Customer> {
  const made = await server.core.state.accounts.createCustomer(aCustomer({ tenantId: of, ...given }));
  if (!made.ok) throw new Error(made.conflict);
  return made.value;
}

/** A user of the customer, logged in. */
async function userOf({ id }: Customer): Promise<string> {
  const email = `${systemRandom.uuid()}@x.org`;
  await server.addUser(email, { customerId: id });
  return (await server.login(email)).token;
}

beforeAll(async () => {
  server = await ServerUnderTest.start();
  token = (await server.login()).token;
  foreignToken = (await server.login(OTHER_ADMIN)).token;
  tenantId = (await server.core.state.accounts.findUserByEmail(ADMIN))?.tenantId ?? '';
  customers = [
    await makeCustomer(tenantId, { title: 'Müller "&" Sons' }),
    await makeCustomer(tenantId, { title: 'Everybody', additionalInfo: '{"isPublic":true}' }),
  ];
  ofCustomer = await Promise.all(customers.map(userOf));
  for (const [name, type, customer] of [
    ['Pump 1', 'pump', customers[0]],
    ['Pump 2', 'pump', undefined],
    ['Lamp 1', 'lamp', customers[0]],
    ['Lamp 2', 'lamp', customers[1]],
  ] as const) {
    const customerId = customer && { entityType: 'CUSTOMER', id: customer.id };
    const made = await call('POST', '/api/device', token, { name, type, customerId });
    ids.set(name, made.json<DeviceJson>().id.id);
    server.clock.advance(1);
  }
  await server.createDevice(foreignToken, 'Pump of others');
});
afterAll(() => server.stop());

describe('lists of devices', () => {
  it('come by page, order, text and type', async () => {
    expect(await list('/api/tenant/devices?pageSize=3&page=1')).toMatchObject({
      data: [{ name: 'Pump 1' }],
      totalElements: 4,
      totalPages: 2,
      hasNext: false,
    });
    expect(await names(`/api/tenant/devices?pageSize=9&${BY_NAME}`)).toEqual(['Lamp 1', 'Lamp 2', 'Pump 1', 'Pump 2']);
    expect(await names(`/api/tenant/devices?pageSize=9&${BY_NAME}&textSearch=pUMP`)).toEqual(['Pump 1', 'Pump 2']);
    expect(await names(`/api/tenant/devices?pageSize=9&${BY_NAME}&type=lamp`)).toEqual(['Lamp 1', 'Lamp 2']);
    expect((await names('/api/tenant/devices?pageSize=9&page=0&sortProperty=deviceProfileName')).slice(0, 1)).toEqual([
      'Pump 2',
    ]);
  });

  it('give one device by its name, whatever else is asked for', async () => {
    const found = (await get('/api/tenant/devices?deviceName=Pump%201&pageSize=5')).json<DeviceJson>();
    expect(found).toEqual((await get(`/api/device/${idOf('Pump 1')}`)).json());
    expect((await get('/api/tenant/devices?deviceName=pump%201')).status).toBe(404);
    expect((await get('/api/tenant/devices?deviceName=Pump%20of%20others')).status).toBe(404);
  });

  it.each([
    ['/api/tenant/devices?page=0', "Required request parameter 'pageSize' is not present"],
    ['/api/tenant/devices?pageSize=0&page=0', "Parameter 'pageSize' must be a whole number from 1 to 2147483647"],
    [
      '/api/tenant/deviceInfos?pageSize=1&page=0&sortProperty=secret',
      "Parameter 'sortProperty' must be one of createdTime, name, type, label, deviceProfileName",
    ],
    ['/api/tenant/deviceInfos?pageSize=1&page=0&sortOrder=UP', "Parameter 'sortOrder' must be one of ASC, DESC"],
    ['/api/tenant/deviceInfos?pageSize=1&page=0&deviceProfileId=x', 'Invalid UUID string: x'],
    ['/api/tenant/deviceInfos?pageSize=1&page=0&active=perhaps', "Parameter 'active' must be true or false"],
    ['/api/customer/x/devices?pageSize=1&page=0', 'Invalid UUID string: x'],
    ['/api/devices', "Required request parameter 'deviceIds' is not present"],
    ['/api/devices?deviceIds=', "Parameter 'deviceIds' can't be empty!"],
    ['/api/devices?deviceIds=a,b', 'Invalid UUID string: a'],
  ])('are refused in clear words: %s', async (path, message) => {
    const answer = await get(path);
    expect([answer.status, answer.json().message]).toEqual([400, message]);
  });

  it('carry with infos the customer, the profile and whether a device is active', async () => {
    const [first] = (await list(`/api/tenant/deviceInfos?pageSize=1&${BY_NAME}`)).data;
    const device = (await get(`/api/device/${idOf('Lamp 1')}`)).json();
    expect(first).toEqual({
      ...device,
      customerTitle: 'Müller "&" Sons',
      customerIsPublic: false,
      deviceProfileName: 'lamp',
      active: false,
    });
    expect((await get(`/api/device/info/${idOf('Lamp 1')}`)).json()).toEqual(first);
    expect((await get(`/api/device/info/${idOf('Lamp 2')}`)).json()).toMatchObject({
      customerTitle: 'Everybody',
      customerIsPublic: true,
    });
    expect((await get(`/api/device/info/${idOf('Pump 2')}`)).json()).toMatchObject({
      customerTitle: null,
      customerIsPublic: false,
    });
  });

  it('let pass what is active, or what is not, and count it', async () => {
    await call('POST', `/api/plugins/telemetry/DEVICE/${idOf('Pump 2')}/SERVER_SCOPE`, token, { active: true });
    const infos = (query: string) => list(`/api/tenant/deviceInfos?${BY_NAME}&${query}`);
    const active = await infos('pageSize=9&active=true');
    expect([active.totalElements, active.data]).toEqual([
      1,
      [expect.objectContaining({ name: 'Pump 2', active: true })],
    ]);
    const second = await infos('pageSize=2&active=false');
    expect([second.totalElements, second.hasNext, second.data.map(({ name }) => name)]).toEqual([
      3,
      true,
      ['Lamp 1', 'Lamp 2'],
    ]);
    expect((await infos('pageSize=9&active=true&type=lamp')).totalElements).toBe(0);
    const { deviceProfileId } = (await get(`/api/device/${idOf('Pump 1')}`)).json<DeviceJson>();
    expect((await infos(`pageSize=9&active=&deviceProfileId=${deviceProfileId.id}`)).totalElements).toBe(2);
  });

  it('give devices by their ids, in that order, and leave out what is not there', async () => {
    const asked = [idOf('Pump 2'), systemRandom.uuid(), idOf('Lamp 1'), idOf('Pump 2')];
    const found = (await get(`/api/devices?deviceIds=${asked.join(',')}`)).json<DeviceJson[]>();
    expect(found.map(({ name }) => name)).toEqual(['Pump 2', 'Lamp 1']);
    expect((await get(`/api/devices?deviceIds=${asked.join(',')}`, foreignToken)).json()).toEqual([]);
  });

  it('give the types that devices have', async () => {
    const types = (await get('/api/device/types')).json<object[]>();
    expect(types).toEqual(
      ['lamp', 'pump'].map((type) => ({
        tenantId: { entityType: 'TENANT', id: tenantId },
        entityType: 'DEVICE',
        type,
      })),
    );
  });
});

describe('a customer', () => {
  it('has lists of its own devices, for its users and the administrators of its tenant', async () => {
    const [own, other] = customers.map(({ id }) => `/api/customer/${id}`);
    for (const as of [token, ofCustomer[0]]) {
      expect(await names(`${own}/devices?pageSize=9&${BY_NAME}`, as)).toEqual(['Lamp 1', 'Pump 1']);
      expect(await names(`${own}/devices?pageSize=9&${BY_NAME}&type=pump&textSearch=P`, as)).toEqual(['Pump 1']);
      expect(await names(`${own}/deviceInfos?pageSize=1&page=1&sortProperty=name&sortOrder=ASC`, as)).toEqual([
        'Pump 1',
      ]);
    }
    const refused = [
      [`${other}/devices`, ofCustomer[0], 403],
      [`${other}/deviceInfos`, ofCustomer[0], 403],
      [`${own}/devices`, foreignToken, 404],
      [`${own}/deviceInfos`, foreignToken, 404],
      [`/api/customer/${systemRandom.uuid()}/devices`, token, 404],
      [`/api/customer/${systemRandom.uuid()}/devices`, ofCustomer[0], 404],
      ['/api/tenant/devices', ofCustomer[0], 403],
      ['/api/tenant/deviceInfos', ofCustomer[0], 403],
    ] as const;
    for (const [path, as, status] of refused) {
      expect([path, (await get(`${path}?pageSize=9&page=0`, as)).status]).toEqual([path, status]);
    }
  });

  it('sees by ids those of its own only', async () => {
    const all = [...ids.values()].join(',');
    const found = (await get(`/api/devices?deviceIds=${all}`, ofCustomer[1])).json<DeviceJson[]>();
    expect(found.map(({ name }) => name)).toEqual(['Lamp 2']);
  });

  it('gets a device and loses it again, at once for its users', async () => {
    const id = await server.createDevice(token, 'Passed on');
    const [first, second] = customers.map((customer) => customer.id);
    const mine = (n: number) => names(`/api/customer/${customers[n]?.id}/devices?pageSize=9&${BY_NAME}`, ofCustomer[n]);
    const assigned = await call('POST', `/api/customer/${first}/device/${id}`);
    expect(assigned.json()).toMatchObject({ customerId: { entityType: 'CUSTOMER', id: first }, version: 2 });
    expect(await mine(0)).toContain('Passed on');
    expect((await get(`/api/device/${id}`, ofCustomer[0])).status).toBe(200);
    // Once more changes nothing; to another customer it moves.
    expect((await call('POST', `/api/customer/${first}/device/${id}`)).json()).toMatchObject({ version: 2 });
    await call('POST', `/api/customer/${second}/device/${id}`);
    expect([await mine(0), await mine(1)]).toEqual([
      ['Lamp 1', 'Pump 1'],
      ['Lamp 2', 'Passed on'],
    ]);
    expect((await get(`/api/device/${id}`, ofCustomer[0])).status).toBe(403);
    const taken = await call('DELETE', `/api/customer/device/${id}`);
    expect(taken.json()).toMatchObject({ customerId: { id: NULL_UUID }, name: 'Passed on' });
    expect(await mine(1)).toEqual(['Lamp 2']);
    const again = await call('DELETE', `/api/customer/device/${id}`);
    expect([again.status, again.json().message]).toEqual([400, "Device isn't assigned to any customer!"]);
    await call('DELETE', `/api/device/${id}`);
  });

  it('is the public one for what everybody may see, and made when it is first needed', async () => {
    const id = await server.createDevice(token, 'On show');
    const shown = (await call('POST', `/api/customer/public/device/${id}`)).json<DeviceJson>();
    expect((await get(`/api/device/info/${id}`)).json()).toMatchObject({
      customerTitle: 'Public',
      customerIsPublic: true,
      customerId: shown.customerId,
    });
    const login = await server.call('POST', '/api/auth/login/public', { body: { publicId: shown.customerId.id } });
    const everybody = login.json<{ token: string }>().token;
    expect(await names(`/api/customer/${shown.customerId.id}/devices?pageSize=9&page=0`, everybody)).toEqual([
      'On show',
    ]);
    expect((await get(`/api/device/${idOf('Pump 1')}`, everybody)).status).toBe(403);
    const another = await server.createDevice(token, 'On show, too');
    expect((await call('POST', `/api/customer/public/device/${another}`)).json()).toMatchObject({
      customerId: shown.customerId,
    });
    for (const gone of [id, another]) await call('DELETE', `/api/device/${gone}`);
  });

  it('gets no device that is not there, and a device no customer that is not there', async () => {
    const [customer] = customers;
    const foreign = await makeCustomer((await foreignTenant()) ?? '');
    const unknown = systemRandom.uuid();
    const id = idOf('Pump 2');
    for (const [path, as, message] of [
      [`/api/customer/${unknown}/device/${id}`, token, `Customer with id [${unknown}] is not found`],
      [`/api/customer/${foreign.id}/device/${id}`, token, `Customer with id [${foreign.id}] is not found`],
      [`/api/customer/${customer?.id}/device/${unknown}`, token, `Device with id [${unknown}] is not found`],
      [`/api/customer/${customer?.id}/device/${id}`, foreignToken, `Device with id [${id}] is not found`],
    ] as const) {
      const answer = await call('POST', path, as);
      expect([answer.status, answer.json().message]).toEqual([404, message]);
    }
    expect((await call('POST', `/api/customer/${customer?.id}/device/${id}`, ofCustomer[0])).status).toBe(403);
    for (const wrong of [unknown, foreign.id]) {
      const customerId = { entityType: 'CUSTOMER', id: wrong };
      const made = await call('POST', '/api/device', token, { name: 'for nobody', customerId });
      expect([made.status, made.json().message]).toEqual([400, "Can't assign device to non-existent customer!"]);
      const changed = await call('POST', '/api/device', token, { id: { id }, name: 'Pump 2', customerId });
      expect([changed.status, changed.json().message]).toEqual([400, "Can't assign device to non-existent customer!"]);
    }
    expect((await get(`/api/device/${id}`)).json()).toMatchObject({ customerId: { id: NULL_UUID }, version: 1 });
  });

  it('keeps its device when that is saved without saying whose it is, and loses it when it is said to be nobody’s', async () => {
    const id = { entityType: 'DEVICE', id: idOf('Pump 1') };
    const saved = await call('POST', '/api/device', ofCustomer[0], { id, name: 'Pump 1', type: 'pump', label: 'mine' });
    expect(saved.json()).toMatchObject({ label: 'mine', customerId: { id: customers[0]?.id } });
    for (const customerId of [null, { entityType: 'CUSTOMER', id: customers[1]?.id }]) {
      const given = await call('POST', '/api/device', ofCustomer[0], { id, name: 'Pump 1', type: 'pump', customerId });
      expect(given.status).toBe(403);
    }
    const freed = await call('POST', '/api/device', token, { id, name: 'Pump 1', type: 'pump', customerId: null });
    expect(freed.json()).toMatchObject({ label: null, customerId: { id: NULL_UUID } });
  });
});

const foreignTenant = async () => (await server.core.state.accounts.findUserByEmail(OTHER_ADMIN))?.tenantId;
