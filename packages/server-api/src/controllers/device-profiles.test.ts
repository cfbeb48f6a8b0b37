import { ADMIN, type DeviceJson, OTHER_ADMIN, ServerUnderTest } from '../testing/server-under-test';

let server: ServerUnderTest;
let token: string;
beforeAll(async () => {
  server = await ServerUnderTest.start({ TANDEM_PROFILE_DATA_MAX_BYTES: '4000', TANDEM_PROTO_SCHEMA_MAX_FIELDS: '5' });
  token = (await server.login()).token;
});
afterAll(() => server.stop());

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const NOBODY = '00000000-0000-4000-8000-000000000000';
const DEFAULT_DATA = {
  configuration: { type: 'DEFAULT' },
  transportConfiguration: { type: 'DEFAULT' },
  provisionConfiguration: { type: 'DISABLED', provisionDeviceSecret: null },
  alarms: null,
};

interface ProfileJson extends DeviceJson {
  readonly default: boolean;
  readonly transportType: string;
  readonly provisionType: string;
  readonly provisionDeviceKey: string | null;
  readonly profileData: Record<string, unknown>;
}

interface Page {
  readonly data: DeviceJson[];
  readonly totalElements: number;
  readonly hasNext: boolean;
}

const get = (path: string, as = token) => server.call('GET', path, { token: as });
const post = (body: object, as = token) => server.call('POST', '/api/deviceProfile', { token: as, body });
const remove = (id: string) => server.call('DELETE', `/api/deviceProfile/${id}`, { token });
const aProfile = (name: string, rest: object = {}) => ({ name, type: 'DEFAULT', transportType: 'DEFAULT', ...rest });
const save = async (body: object) => {
  const answer = await post(body);
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.json<ProfileJson>();
};
const made = (name: string, rest: object = {}) => save(aProfile(name, rest));
const names = (page: Page) => page.data.map(({ name }) => name);
async function deviceOf(profile: DeviceJson, name: string): Promise<string> {
  const answer = await server.call('POST', '/api/device', { token, body: { name, deviceProfileId: profile.id } });
  return answer.json<DeviceJson>().id.id;
}

describe('A new device profile', () => {
  it('has exactly the members of the contract', async () => {
    const answer = await made('exact', { description: 'for pumps' });
    const admin = await server.core.state.accounts.findUserByEmail(ADMIN);
    expect(answer).toEqual({
      id: { entityType: 'DEVICE_PROFILE', id: expect.stringMatching(UUID) },
      createdTime: server.clock.now(),
      tenantId: { entityType: 'TENANT', id: admin?.tenantId },
      name: 'exact',
      description: 'for pumps',
      image: null,
      default: false,
      type: 'DEFAULT',
      transportType: 'DEFAULT',
      provisionType: 'DISABLED',
      provisionDeviceKey: null,
      profileData: DEFAULT_DATA,
      defaultRuleChainId: null,
      defaultDashboardId: null,
      defaultQueueName: null,
      defaultEdgeRuleChainId: null,
      firmwareId: null,
      softwareId: null,
      externalId: null,
      version: 1,
    });
    expect((await get(`/api/deviceProfile/${answer.id.id}`)).json()).toEqual(answer);
  });

  it('may say what this product does not have', async () => {
    const answer = await made('from elsewhere', {
      image: 'data:image/png;base64,AAAA',
      defaultRuleChainId: { entityType: 'RULE_CHAIN', id: NOBODY },
      defaultDashboardId: { entityType: 'DASHBOARD', id: NOBODY },
      defaultQueueName: 'Main',
      defaultEdgeRuleChainId: null,
      externalId: null,
      firmwareId: null,
      tenantId: { entityType: 'TENANT', id: NOBODY },
      createdTime: 1,
      provisionType: null,
      profileData: null,
      version: null,
    });
    expect(answer).toMatchObject({ image: null, defaultRuleChainId: null, defaultQueueName: null, version: 1 });
    expect(answer).toMatchObject({ provisionType: 'DISABLED', profileData: DEFAULT_DATA });
  });

  it('keeps its data as it was written', async () => {
    const data = '{"alarms":[{"z":42.0,"10":9007199254740993}],"configuration":{"type":"DEFAULT"}';
    const body = `{"profileData": ${data} }, "transportType":"DEFAULT","type":"DEFAULT","name":"as written"}`;
    const created = await server.call('POST', '/api/deviceProfile', { token, body });
    expect(created.text).toContain(`"profileData":${data},"transportConfiguration":{"type":"DEFAULT"},`);
    const { id } = created.json<DeviceJson>().id;
    expect((await get(`/api/deviceProfile/${id}`)).text).toBe(created.text);
    expect((await get('/api/deviceProfiles?pageSize=10&page=0&textSearch=as%20written')).text).toContain(created.text);
  });

  it('for provisioning has its key at the top, its secret within, and its strategy twice', async () => {
    const answer = await made('provisioning', {
      provisionType: 'ALLOW_CREATE_NEW_DEVICES',
      provisionDeviceKey: 'the key',
      profileData: {
        provisionConfiguration: { type: 'ALLOW_CREATE_NEW_DEVICES', provisionDeviceSecret: 'the secret' },
      },
    });
    expect(answer).toMatchObject({ provisionType: 'ALLOW_CREATE_NEW_DEVICES', provisionDeviceKey: 'the key' });
    expect(answer.profileData.provisionConfiguration).toEqual({
      type: 'ALLOW_CREATE_NEW_DEVICES',
      provisionDeviceSecret: 'the secret',
    });
    const found = await server.core.state.devices.findProfileByProvisionKey('the key');
    expect(found?.id).toBe(answer.id.id);
  });

  it('for CoAP has a whole transport configuration', async () => {
    const answer = await made('over coap', { transportType: 'COAP', profileData: { transportConfiguration: null } });
    expect(answer.profileData.transportConfiguration).toEqual({
      type: 'COAP',
      coapDeviceTypeConfiguration: {
        coapDeviceType: 'DEFAULT',
        transportPayloadTypeConfiguration: { transportPayloadType: 'JSON' },
      },
      clientSettings: { powerMode: 'DRX', edrxCycle: null, psmActivityTimer: null, pagingTransmissionWindow: null },
    });
  });

  const protobuf = (deviceTelemetryProtoSchema: string) => ({
    transportType: 'COAP',
    profileData: {
      transportConfiguration: {
        type: 'COAP',
        coapDeviceTypeConfiguration: {
          coapDeviceType: 'DEFAULT',
          transportPayloadTypeConfiguration: {
            transportPayloadType: 'PROTOBUF',
            deviceTelemetryProtoSchema,
            deviceAttributesProtoSchema: 'syntax = "proto3"; message A { string a = 1; }',
          },
        },
      },
    },
  });
  const fields = Array.from({ length: 6 }, (_, n) => `bool f${n} = ${n + 1};`).join('\n');

  it('with protobuf payloads is saved with its schemas', async () => {
    const schema = 'syntax ="proto3";\nmessage T { optional double t = 1; }\n';
    expect(JSON.stringify(await made('protobuf', protobuf(schema)))).toContain(JSON.stringify(schema));
  });

  it.each<[string, object, number, string]>([
    ['no name', { name: undefined }, 400, 'Device profile name should be specified!'],
    ['a blank name', { name: '  ' }, 400, 'Device profile name should be specified!'],
    ['an endless name', { name: 'x'.repeat(256) }, 400, 'body.name'],
    ['a name that is taken', { name: 'default' }, 400, 'Device profile with such name already exists!'],
    ['no type', { type: null }, 400, 'Device profile type should be specified!'],
    ['another type', { type: 'SNMP' }, 400, 'body.type must be one of DEFAULT'],
    ['no transport type', { transportType: null }, 400, 'Device profile transport type should be specified!'],
    ['an unknown transport', { transportType: 'HTTP' }, 400, 'body.transportType must be one of DEFAULT, MQTT, COAP'],
    ['an unknown strategy', { provisionType: 'ANY' }, 400, 'body.provisionType must be one of DISABLED, ALLOW_CREATE'],
    [
      'a second default',
      { default: true },
      400,
      'Another default device profile is present in scope of current tenant!',
    ],
    ['a package that is not there', { firmwareId: { id: NOBODY } }, 400, "Can't assign non-existent firmware!"],
    ['data that is no object', { profileData: [] }, 400, 'body.profileData must be object,null'],
    ['data beyond the limit', { profileData: { x: 'x'.repeat(4_000) } }, 400, 'profileData is longer than 4000 bytes'],
    [
      'two strategies',
      { provisionType: 'DISABLED', profileData: { provisionConfiguration: { type: 'CHECK_PRE_PROVISIONED_DEVICES' } } },
      400,
      'profileData.provisionConfiguration.type must be DISABLED, as provisionType is',
    ],
    [
      'two transports',
      { transportType: 'COAP', profileData: DEFAULT_DATA },
      400,
      'transportConfiguration.type must be COAP',
    ],
    [
      'an import',
      protobuf('syntax = "proto3";\nimport "a";'),
      400,
      'deviceTelemetryProtoSchema, line 2: imports are not',
    ],
    [
      'a telemetry message of no field',
      protobuf('syntax = "proto3";\n\nmessage T {}'),
      400,
      "line 3: 'T' has no fields",
    ],
    [
      'a schema beyond the limit',
      protobuf(`syntax = "proto3";\nmessage T {${fields}}`),
      400,
      'line 7: there are more than 5',
    ],
    ['an id that never was', { id: { entityType: 'DEVICE_PROFILE', id: NOBODY } }, 404, 'is not found'],
  ])('is refused with %s, and nothing is saved', async (_case, change, status, message) => {
    const answer = await post(aProfile('refused', change));
    const errorCode = status === 400 ? 31 : 32;
    expect(answer.json()).toMatchObject({ status, errorCode, message: expect.stringContaining(message) });
    expect(names((await get('/api/deviceProfiles?pageSize=1&page=0&textSearch=refused')).json<Page>())).toEqual([]);
  });

  it('is refused with the provision key of another, also of another tenant', async () => {
    await made('keyed', { provisionDeviceKey: 'taken key' });
    const other = (await server.login(OTHER_ADMIN)).token;
    for (const as of [token, other]) {
      const answer = await post(aProfile('second', { provisionDeviceKey: 'taken key' }), as);
      const message = 'Device profile with such provision device key already exists!';
      expect(answer.json()).toMatchObject({ status: 400, errorCode: 31, message });
    }
    for (const name of ['keyless 1', 'keyless 2']) {
      expect((await made(name, { provisionDeviceKey: '' })).provisionDeviceKey).toBeNull();
    }
  });
});

describe('A device profile that exists', () => {
  it('is changed by sending it back', async () => {
    const before = await made('before', { description: 'old', provisionDeviceKey: 'kept' });
    const after = await save({ ...before, name: 'after', description: null });
    expect(after).toEqual({ ...before, name: 'after', description: null, version: 2 });
    expect((await get(`/api/deviceProfile/${before.id.id}`)).json()).toEqual(after);
  });

  it('is not changed by whoever saw an older version, and by anybody who names none', async () => {
    const profile = await made('contended');
    await save({ ...profile, description: 'first' });
    const answer = await post({ ...profile, description: 'second' });
    expect(answer.json()).toMatchObject({ status: 409, errorCode: 35 });
    expect(await save({ ...profile, description: 'third', version: null })).toMatchObject({ version: 3 });
  });

  it('gives its devices its new name as their type', async () => {
    const profile = await made('old name');
    const device = await deviceOf(profile, 'of the renamed profile');
    await save({ ...profile, name: 'new name' });
    expect((await get(`/api/device/${device}`)).json()).toMatchObject({ type: 'new name' });
  });

  it('keeps its transport type while devices use it', async () => {
    const profile = await made('in use');
    const device = await deviceOf(profile, 'user');
    const other = { ...profile, transportType: 'MQTT', profileData: null };
    const message = "Can't change device profile transport type because devices referenced it!";
    expect((await post(other)).json()).toMatchObject({ status: 400, errorCode: 31, message });
    await server.call('DELETE', `/api/device/${device}`, { token });
    expect(await save(other)).toMatchObject({
      transportType: 'MQTT',
      profileData: { transportConfiguration: { type: 'MQTT' } },
    });
  });

  it('is deleted, unless it is the default or devices use it', async () => {
    const [profile, { id }] = [
      await made('to delete'),
      (await get('/api/deviceProfileInfo/default')).json<DeviceJson>(),
    ];
    const device = await deviceOf(profile, 'its last device');
    const inUse = 'The device profile referenced by the devices cannot be deleted!';
    expect((await remove(profile.id.id)).json()).toMatchObject({ status: 400, errorCode: 31, message: inUse });
    const isDefault = 'Deletion of Default Device Profile is prohibited!';
    expect((await remove(id.id)).json()).toMatchObject({ status: 400, errorCode: 31, message: isDefault });
    await server.call('DELETE', `/api/device/${device}`, { token });
    const deleted = await remove(profile.id.id);
    expect([deleted.status, deleted.text]).toEqual([200, '']);
    expect((await remove(profile.id.id)).json()).toMatchObject({ status: 404, errorCode: 32 });
    expect((await get(`/api/deviceProfile/${profile.id.id}`)).status).toBe(404);
  });

  it('becomes the default, and the former one is it no more', async () => {
    const former = (await get('/api/deviceProfileInfo/default')).json<DeviceJson>();
    const profile = await made('new default');
    const path = `/api/deviceProfile/${profile.id.id}/default`;
    const answer = (await server.call('POST', path, { token })).json<ProfileJson>();
    expect(answer).toEqual({ ...profile, default: true, version: 2 });
    expect((await server.call('POST', path, { token })).json()).toEqual(answer);
    expect((await get('/api/deviceProfileInfo/default')).json()).toMatchObject({ id: profile.id, name: 'new default' });
    expect((await get(`/api/deviceProfile/${former.id.id}`)).json()).toMatchObject({ default: false });
    expect(await save({ ...answer, default: false })).toMatchObject({ default: true });
    const device = await server.call('POST', '/api/device', { token, body: { name: 'of the new default' } });
    expect(device.json()).toMatchObject({ type: 'new default', deviceProfileId: profile.id });
    await server.call('POST', `/api/deviceProfile/${former.id.id}/default`, { token });
  });
});

describe('Device profiles in short', () => {
  it('have exactly the members of the contract', async () => {
    const info = (await get('/api/deviceProfileInfo/default')).json<DeviceJson>();
    expect(info).toEqual({
      id: { entityType: 'DEVICE_PROFILE', id: expect.stringMatching(UUID) },
      name: 'default',
      image: null,
      defaultDashboardId: null,
      type: 'DEFAULT',
      transportType: 'DEFAULT',
    });
    expect((await get(`/api/deviceProfileInfo/${info.id.id}`)).json()).toEqual(info);
  });

  it('come in pages, also those of one transport alone', async () => {
    for (const [name, transportType] of [
      ['paged 1', 'COAP'],
      ['paged 2', 'SNMP'],
      ['paged 3', 'COAP'],
    ] as const) {
      await made(name, { transportType });
    }
    const query = 'pageSize=2&page=0&textSearch=PAGED&sortProperty=name&sortOrder=ASC';
    const infos = (rest = '') => get(`/api/deviceProfileInfos?${query}${rest}`).then((answer) => answer.json<Page>());
    const profiles = (await get(`/api/deviceProfiles?${query}`)).json<Page>();
    expect([names(profiles), profiles.totalElements, profiles.hasNext]).toEqual([['paged 1', 'paged 2'], 3, true]);
    expect(names(await infos())).toEqual(['paged 1', 'paged 2']);
    expect(names(await infos('&transportType=COAP'))).toEqual(['paged 1', 'paged 3']);
    expect(names(await infos('&transportType='))).toEqual(['paged 1', 'paged 2']);
    expect((await get(`/api/deviceProfileInfos?${query}&transportType=HTTP`)).json()).toMatchObject({
      status: 400,
      message: "Parameter 'transportType' must be one of DEFAULT, MQTT, COAP, LWM2M, SNMP",
    });
  });

  it('that are not there get 404', async () => {
    for (const path of [`/api/deviceProfile/${NOBODY}`, `/api/deviceProfileInfo/${NOBODY}`]) {
      const message = `Device profile with id [${NOBODY}] is not found`;
      expect((await get(path)).json()).toMatchObject({ status: 404, errorCode: 32, message });
    }
  });

  it('are listed by name, those alone that devices use where that is asked for', async () => {
    const used = await made('named: used');
    await made('named: unused');
    await deviceOf(used, 'its device');
    const listed = async (query: string) =>
      (await get(`/api/deviceProfile/names${query}`))
        .json<DeviceJson[]>()
        .filter(({ name }) => name.startsWith('named'));
    expect((await listed('')).map(({ name }) => name)).toEqual(['named: unused', 'named: used']);
    expect(await listed('?activeOnly=true')).toEqual([{ id: used.id, name: 'named: used' }]);
  });
});

describe('Keys of the devices of a profile', () => {
  it('are those of its devices, or of all, each once and in order', async () => {
    const [one, other] = [await made('keys: one'), await made('keys: other')];
    const devices = [
      { id: await deviceOf(one, 'keys 1'), values: '{"b":1,"a":2}' },
      { id: await deviceOf(one, 'keys 2'), values: '{"c":1,"a":2}' },
      { id: await deviceOf(other, 'keys 3'), values: '{"elsewhere":1}' },
    ];
    for (const { id, values } of devices) {
      const session = await server.session(id);
      await server.core.telemetry.post(session, Buffer.from(values));
      await server.core.attributes.postClient(session, Buffer.from(values));
    }
    await server.core.state.materialiser.caughtUp();
    const keys = async (kind: string, query = '') =>
      (await get(`/api/deviceProfile/devices/keys/${kind}${query}`)).json<string[]>();
    const ofOne = `?deviceProfileId=${one.id.id}`;
    expect(await keys('timeseries', ofOne)).toEqual(['a', 'b', 'c']);
    expect(await keys('attributes', ofOne)).toEqual(['a', 'active', 'b', 'c']);
    expect(await keys('timeseries')).toEqual(['a', 'b', 'c', 'elsewhere']);
    expect(await keys('attributes', '?deviceProfileId=')).toEqual(['a', 'active', 'b', 'c', 'elsewhere']);
    const path = '/api/deviceProfile/devices/keys/timeseries?deviceProfileId=';
    expect((await get(`${path}x`)).json()).toMatchObject({ status: 400, message: 'Invalid UUID string: x' });
    expect((await get(path + NOBODY)).json()).toMatchObject({ status: 404, errorCode: 32 });
  });
});
