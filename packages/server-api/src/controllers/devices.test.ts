import { ADMIN, type DeviceJson, ServerUnderTest } from '../testing/server-under-test';

let server: ServerUnderTest;
let token: string;
beforeAll(async () => {
  server = await ServerUnderTest.start();
  token = (await server.login()).token;
});
afterAll(() => server.stop());

const NO_CUSTOMER = '13814000-1dd2-11b2-8080-808080808080';
const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;

const post = (path: string, body: object) => server.call('POST', path, { token, body });
const get = (path: string) => server.call('GET', path, { token });
const save = async (body: object, query = '') => (await post(`/api/device${query}`, body)).json<DeviceJson>();
const credentialsOf = async (id: string) => (await get(`/api/device/${id}/credentials`)).json<Credentials>();

interface Credentials {
  readonly id: { readonly id: string };
  readonly credentialsId: string;
  readonly version: number;
}

interface Page {
  readonly data: DeviceJson[];
  readonly totalPages: number;
  readonly totalElements: number;
  readonly hasNext: boolean;
}

describe('a new device', () => {
  it('has exactly the members of the contract', async () => {
    const device = await save({ name: 'meter', label: 'Hall', additionalInfo: { gateway: true } });
    const profile = (await get('/api/deviceProfileInfo/default')).json<DeviceJson>();
    const admin = await server.core.state.accounts.findUserByEmail(ADMIN);
    expect(device).toEqual({
      id: { entityType: 'DEVICE', id: expect.stringMatching(UUID) },
      createdTime: server.clock.now(),
      additionalInfo: { gateway: true },
      tenantId: { entityType: 'TENANT', id: admin?.tenantId },
      customerId: { entityType: 'CUSTOMER', id: NO_CUSTOMER },
      name: 'meter',
      type: 'default',
      label: 'Hall',
      deviceProfileId: { entityType: 'DEVICE_PROFILE', id: profile.id.id },
      deviceData: { configuration: { type: 'DEFAULT' }, transportConfiguration: { type: 'DEFAULT' } },
      firmwareId: null,
      softwareId: null,
      externalId: null,
      version: 1,
    });
    expect((await get(`/api/device/${device.id.id}`)).json()).toEqual(device);
  });

  it('gets the transport type of its profile in deviceData', async () => {
    const request = { name: 'over coap', type: 'DEFAULT', transportType: 'COAP' } as const;
    const profile = await server.core.profiles.save(await tenantId(), request);
    const device = await save({
      name: 'coap device',
      deviceProfileId: { entityType: 'DEVICE_PROFILE', id: profile.id },
    });
    expect(device).toMatchObject({
      type: 'over coap',
      deviceData: { configuration: { type: 'DEFAULT' }, transportConfiguration: { type: 'COAP' } },
    });
  });

  it('makes the profile its type names, once, and letter case counts', async () => {
    const [first, second, other] = [
      await save({ name: 'typed 1', type: 'thermo' }),
      await save({ name: 'typed 2', type: 'thermo' }),
      await save({ name: 'typed 3', type: 'Thermo' }),
    ] as Array<DeviceJson & { type: string; deviceProfileId: { id: string } }>;
    expect(first?.type).toBe('thermo');
    expect(second?.deviceProfileId).toEqual(first?.deviceProfileId);
    expect(other?.deviceProfileId).not.toEqual(first?.deviceProfileId);
  });

  it('gets a random access token of 20 letters and digits, also when the wish for one is empty', async () => {
    const device = await save({ name: 'random token' }, '?accessToken=');
    const credentials = await credentialsOf(device.id.id);
    expect(credentials).toEqual({
      id: { id: expect.stringMatching(UUID) },
      createdTime: server.clock.now(),
      deviceId: { entityType: 'DEVICE', id: device.id.id },
      credentialsType: 'ACCESS_TOKEN',
      credentialsId: expect.stringMatching(/^[A-Za-z0-9]{20}$/),
      credentialsValue: null,
      version: 1,
    });
  });

  it('gets the access token that was asked for, unless another device has it', async () => {
    const device = await save({ name: 'wanted token' }, '?accessToken=WANTED');
    expect((await credentialsOf(device.id.id)).credentialsId).toBe('WANTED');
    const answer = await post('/api/device?accessToken=WANTED', { name: 'same token' });
    expect(answer.json()).toMatchObject({ status: 400, message: 'Specified credentials are already registered!' });
    expect((await get('/api/tenant/devices?deviceName=same%20token')).status).toBe(404);
  });

  it('can bring its credentials along', async () => {
    const credentials = { credentialsType: 'ACCESS_TOKEN', credentialsId: 'BROUGHT' };
    const answer = await post('/api/device-with-credentials', { device: { name: 'with credentials' }, credentials });
    expect((await credentialsOf(answer.json<DeviceJson>().id.id)).credentialsId).toBe('BROUGHT');
  });

  it.each([
    ['without a type', {}, 'Device credentials type should be specified'],
    ['of an unknown type', { credentialsType: 'NFC' }, /must be one of ACCESS_TOKEN, .*, PSK$/],
    ['of a type not served', { credentialsType: 'LWM2M_CREDENTIALS', credentialsId: 'x' }, 'of type LWM2M_CRED'],
  ])('is refused with credentials %s', async (_case, credentials, message) => {
    const answer = await post('/api/device-with-credentials', { device: { name: 'refused' }, credentials });
    expect(answer.json()).toMatchObject({ status: 400, errorCode: 31, message: expect.stringMatching(message) });
    expect((await get('/api/tenant/devices?deviceName=refused')).status).toBe(404);
  });

  it('is refused under a name that is taken', async () => {
    await save({ name: 'taken' });
    const answer = await post('/api/device', { name: 'taken' });
    expect(answer.json()).toMatchObject({ status: 400, message: 'Device with such name already exists!' });
  });

  it('is not active yet', async () => {
    const id = await server.createDevice(token, 'inactive');
    const path = `/api/plugins/telemetry/DEVICE/${id}/values/attributes/SERVER_SCOPE`;
    expect((await get(path)).json()).toEqual([{ lastUpdateTs: server.clock.now(), key: 'active', value: false }]);
    const device = (await get(`/api/device/${id}`)).json();
    expect((await get(`/api/device/info/${id}`)).json()).toEqual({
      ...device,
      customerTitle: null,
      customerIsPublic: false,
      deviceProfileName: 'default',
      active: false,
    });
  });
});

describe('a device that exists', () => {
  it('is changed by sending it back', async () => {
    const device = await save({ name: 'before', type: 'kept' });
    const changed = await save({ ...device, name: 'after', label: 'new' });
    expect(changed).toEqual({ ...device, name: 'after', label: 'new', version: 2 });
  });

  it('is not changed by whoever saw an older version', async () => {
    const device = await save({ name: 'contended' });
    await save({ ...device, label: 'first' });
    const answer = await post('/api/device', { ...device, label: 'second' });
    expect(answer.json()).toMatchObject({ status: 409, errorCode: 35 });
  });

  it('cannot be changed when it never was', async () => {
    const id = '00000000-0000-4000-8000-000000000000';
    const answer = await post('/api/device', { id: { entityType: 'DEVICE', id }, name: 'nobody' });
    expect(answer.json()).toMatchObject({ status: 404, errorCode: 32, message: `Device with id [${id}] is not found` });
  });

  it('is found by its exact name', async () => {
    const device = await save({ name: 'Name, with ünusual /characters' });
    const query = new URLSearchParams({ deviceName: device.name });
    expect((await get(`/api/tenant/devices?${query}`)).json()).toEqual(device);
    expect((await get('/api/tenant/devices?deviceName=name')).json()).toMatchObject({ status: 404, errorCode: 32 });
    expect((await get('/api/tenant/devices?deviceName=')).json()).toMatchObject({
      status: 400,
      message: "Parameter 'deviceName' can't be empty!",
    });
  });

  it('is gone after its deletion, with its credentials', async () => {
    const device = await save({ name: 'to delete' }, '?accessToken=TO_DELETE');
    const path = `/api/device/${device.id.id}`;
    const answer = await server.call('DELETE', path, { token });
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect((await get(path)).status).toBe(404);
    expect((await get(`${path}/credentials`)).status).toBe(404);
    expect((await server.call('DELETE', path, { token })).json()).toMatchObject({ status: 404, errorCode: 32 });
    await expect(server.core.auth.resolve('TO_DELETE')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });
});

describe('additional info', () => {
  const SENT =
    '{ "z": 42.0, "10": [9007199254740993, -9223372036854775808], "a": {"y": 1e5, "__proto__": "1.0"}, "e": "" }';
  const KEPT =
    '"additionalInfo":{"z":42.0,"10":[9007199254740993,-9223372036854775808],"a":{"y":1e5,"__proto__":"1.0"},"e":""},';
  const send = async (path: string, body: string) => (await server.call('POST', path, { token, body })).text;
  const idIn = (text: string) => (JSON.parse(text) as DeviceJson).id.id;

  it('comes back as it was sent: number texts, 64-bit integers and the order of the members', async () => {
    const created = await send('/api/device', `{"additionalInfo":${SENT},"name":"exact","type":"exact"}`);
    expect(created).toContain(KEPT);
    const id = idIn(created);
    for (const path of [
      `/api/device/${id}`,
      `/api/device/info/${id}`,
      '/api/tenant/devices?deviceName=exact',
      '/api/tenant/devices?pageSize=10&page=0&type=exact',
    ]) {
      expect((await get(path)).text).toContain(KEPT);
    }
  });

  it('is replaced as it was sent, and by nothing when it is left out or null', async () => {
    const id = await server.createDevice(token, 'replaced');
    const update = (rest: string) =>
      send('/api/device', `{"id":{"entityType":"DEVICE","id":"${id}"},"name":"replaced"${rest}}`);
    expect(await update(`,"additionalInfo":${SENT}`)).toContain(KEPT);
    expect((await get(`/api/device/${id}`)).text).toContain(KEPT);
    expect(await update(',"additionalInfo":{}')).toContain('"additionalInfo":{},');
    expect(await update(',"additionalInfo":null')).toContain('"additionalInfo":null,');
    expect(await update('')).toContain('"additionalInfo":null,');
  });

  it('of a device that brings its credentials along comes back as it was sent', async () => {
    const credentials = '{"credentialsType":"ACCESS_TOKEN","credentialsId":"EXACT","additionalInfo":{"not":"this"}}';
    const created = await send(
      '/api/device-with-credentials',
      `{"credentials":${credentials},"device":{"name":"exact too","additionalInfo":${SENT}},"additionalInfo":{}}`,
    );
    expect(created).toContain(KEPT);
    expect((await get(`/api/device/${idIn(created)}`)).text).toContain(KEPT);
  });
});

describe('credentials', () => {
  it('are replaced, and the old token ends at once', async () => {
    const device = await save({ name: 'rekeyed' }, '?accessToken=OLD_KEY');
    await server.core.auth.resolve('OLD_KEY');
    const credentials = await credentialsOf(device.id.id);
    const answer = await post('/api/device/credentials', { ...credentials, credentialsId: 'NEW_KEY' });
    expect(answer.json()).toEqual({ ...credentials, credentialsId: 'NEW_KEY', version: 2 });
    await expect(server.core.auth.resolve('OLD_KEY')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect(await server.core.auth.resolve('NEW_KEY')).toMatchObject({ deviceId: device.id.id });
  });

  it.each([
    ['another credentials id', { id: { id: '00000000-0000-4000-8000-000000000000' } }, 400, 'non-existent device cred'],
    ['no token', { credentialsId: '' }, 400, 'Device credentials id should be specified!'],
    ['no type', { credentialsType: null }, 400, 'Device credentials type should be specified'],
    ['no device', { deviceId: null }, 400, "Parameter 'deviceId' can't be empty!"],
    ['a token of another device', { credentialsId: 'HELD' }, 400, 'Specified credentials are already registered!'],
    ['a token beyond all length', { credentialsId: 'x'.repeat(256) }, 400, 'body.credentialsId'],
    ['an outdated version', { version: 7 }, 409, 'changed by someone else'],
  ])('are not replaced with %s', async (name, change, status, message) => {
    if (JSON.stringify(change).includes('HELD')) await save({ name: 'holder' }, '?accessToken=HELD');
    const id = await server.createDevice(token, `unchanged: ${name}`);
    const before = await credentialsOf(id);
    const answer = await post('/api/device/credentials', { ...before, credentialsId: 'FRESH', ...change });
    expect(answer.json()).toMatchObject({ status, message: expect.stringContaining(message) });
    expect(await credentialsOf(id)).toEqual(before);
  });
});

describe('pages', () => {
  it('of devices are cut, searched, filtered and sorted', async () => {
    for (const name of ['page c', 'page a', 'PAGE b']) await save({ name, type: 'paged' });
    const query = 'textSearch=page&type=paged&sortProperty=name&sortOrder=DESC';
    const first = (await get(`/api/tenant/devices?pageSize=2&page=0&${query}`)).json<Page>();
    expect(first.data.map(({ name }) => name)).toEqual(['page c', 'PAGE b']);
    expect(first).toEqual({ data: expect.any(Array), totalPages: 2, totalElements: 3, hasNext: true });
    const second = (await get(`/api/tenant/devices?pageSize=2&page=1&${query}`)).json<Page>();
    expect(second.data.map(({ name }) => name)).toEqual(['page a']);
    expect(second.hasNext).toBe(false);
    const beyond = (await get(`/api/tenant/devices?pageSize=2&page=9&${query}`)).json<Page>();
    expect(beyond).toEqual({ data: [], totalPages: 2, totalElements: 3, hasNext: false });
  });

  it('may be asked for in the largest size clients use', async () => {
    const all = (await get('/api/tenant/devices?pageSize=2147483647&page=0')).json<Page>();
    expect(all).toMatchObject({ totalPages: 1, hasNext: false, totalElements: all.data.length });
    const [first] = all.data;
    expect((await get(`/api/device/${first?.id.id}`)).json()).toEqual(first);
  });
});

async function tenantId(): Promise<string> {
  return (await server.core.state.accounts.findUserByEmail(ADMIN))?.tenantId ?? '';
}
