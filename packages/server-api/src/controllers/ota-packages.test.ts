import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { type EntityJson, OtaClient } from '../testing/ota-client';
import { OTHER_ADMIN, type ServerUnderTest } from '../testing/server-under-test';

let client: OtaClient;
let server: ServerUnderTest;
let token: string;
beforeAll(async () => {
  client = await OtaClient.start();
  ({ server, token } = client);
});
afterAll(() => server.stop());

describe('A package', () => {
  it('is made with exactly the members that clients expect, and read again', async () => {
    const answer = await client.save({
      deviceProfileId: client.profileId,
      type: 'FIRMWARE',
      title: 'Thermostat',
      version: '1.0',
      tag: 'Thermostat 1.0',
      usesUrl: false,
      additionalInfo: { description: 'x', n: 42 },
    });
    expect(answer.status).toBe(200);
    const { id } = answer.json<EntityJson>();
    const expected = {
      id: { entityType: 'OTA_PACKAGE', id: id.id },
      createdTime: server.clock.now(),
      additionalInfo: { description: 'x', n: 42 },
      tenantId: { entityType: 'TENANT', id: expect.any(String) },
      deviceProfileId: client.profileId,
      type: 'FIRMWARE',
      title: 'Thermostat',
      version: '1.0',
      tag: 'Thermostat 1.0',
      url: null,
      hasData: false,
      fileName: null,
      contentType: null,
      checksumAlgorithm: null,
      checksum: null,
      dataSize: null,
    };
    expect(answer.json()).toEqual(expected);
    expect((await client.info(id.id)).json()).toEqual(expected);
    const whole = await server.call('GET', `/api/otaPackage/${id.id}`, { token });
    expect(whole.json()).toEqual({ ...expected, data: null });
  });

  it('keeps the numbers of its additionalInfo as they were written', async () => {
    const text = `{"type":"SOFTWARE","title":"numbers","version":"1","additionalInfo":{"n":42.0,"big":9007199254740993}}`;
    const answer = await server.call('POST', '/api/otaPackage', { token, body: text });
    expect(answer.text).toContain('"additionalInfo":{"n":42.0,"big":9007199254740993}');
  });

  it('may be elsewhere: then it has a URL and can be assigned at once', async () => {
    const body = { type: 'FIRMWARE', title: 'elsewhere', version: '1', usesUrl: true, url: 'https://example.org/fw' };
    const answer = await client.save({
      ...body,
      deviceProfileId: client.profileId,
      dataSize: 10,
      checksumAlgorithm: 'MD5',
    });
    expect(answer.json()).toMatchObject({ url: 'https://example.org/fw', hasData: true, dataSize: 10 });
    const { id } = answer.json<EntityJson>().id;
    expect((await client.download(id)).status).toBe(400);
    expect((await client.upload(id, Buffer.from('x'))).json).toMatchObject({
      status: 400,
      message: "File can't be saved if URL present!",
    });
  });

  it.each<[string, object, string]>([
    ['without a title', { title: '' }, 'OtaPackage title should be specified!'],
    ['without a version', { version: null }, 'OtaPackage version should be specified!'],
    ['without a type', { type: undefined }, 'Type should be specified!'],
    [
      'of a profile that is not there',
      { deviceProfileId: { id: randomUUID() } },
      'OtaPackage is referencing to non-existent device profile!',
    ],
    ['that is elsewhere, nobody knows where', { usesUrl: true, url: ' ' }, 'Ota package URL should be specified!'],
    ['of a type that there is not', { type: 'HARDWARE' }, 'body.type must be one of FIRMWARE, SOFTWARE'],
    ['with a title that is too long', { title: 'x'.repeat(256) }, 'body.title must NOT have more than 255 characters'],
  ])('%s is refused', async (_, given, message) => {
    const body = { deviceProfileId: client.profileId, type: 'FIRMWARE', title: 'refused', version: '1', ...given };
    expect((await client.save(body)).json()).toMatchObject({ status: 400, errorCode: 31, message });
  });

  it('has a title and version that no other one of the tenant has', async () => {
    await client.create({ title: 'taken', version: '1' });
    const again = { deviceProfileId: client.profileId, type: 'SOFTWARE', title: 'taken', version: '1' };
    const message = 'OtaPackage with such title and version already exists!';
    expect((await client.save(again)).json()).toMatchObject({ status: 400, message });
    await client.create({ title: 'taken', version: '2' });
    const other = (await server.login(OTHER_ADMIN)).token;
    const body = { type: 'FIRMWARE', title: 'taken', version: '1' };
    expect((await server.call('POST', '/api/otaPackage', { token: other, body })).status).toBe(200);
  });

  it('keeps what it is: only its additionalInfo changes', async () => {
    const id = await client.create({ title: 'fixed', tag: 'tag' });
    const stored = (await client.info(id)).json();
    const changed = await client.save({ ...stored, additionalInfo: { note: 1 } });
    expect(changed.json()).toEqual({ ...stored, additionalInfo: { note: 1 } });
    for (const [given, message] of [
      [{ title: 'other' }, 'Updating otaPackage title is prohibited!'],
      [{ version: '2' }, 'Updating otaPackage version is prohibited!'],
      [{ type: 'SOFTWARE' }, 'Updating type is prohibited!'],
      [{ tag: 'other' }, 'Updating otaPackage tag is prohibited!'],
      [{ deviceProfileId: { id: randomUUID() } }, 'Updating otaPackage deviceProfile is prohibited!'],
    ] as const) {
      expect((await client.save({ ...stored, ...given })).json()).toMatchObject({ status: 400, message });
    }
    const absent = randomUUID();
    expect((await client.save({ ...stored, id: { id: absent } })).json()).toMatchObject({
      status: 404,
      message: `Ota package with id [${absent}] is not found`,
    });
  });

  it('is listed by page and text, and by profile and type when there is something to get', async () => {
    const second = await server.call('POST', '/api/deviceProfile', {
      token,
      body: {
        name: 'second',
        type: 'DEFAULT',
        transportType: 'DEFAULT',
        profileData: { configuration: { type: 'DEFAULT' }, transportConfiguration: { type: 'DEFAULT' } },
      },
    });
    const deviceProfileId = second.json<EntityJson>().id;
    const ready = await client.uploaded(Buffer.from('1'), { deviceProfileId, title: 'needle in hay' });
    await client.create({ deviceProfileId, title: 'without data' });
    await client.uploaded(Buffer.from('2'), { deviceProfileId, title: 'app', type: 'SOFTWARE' });
    const list = async (path: string) => (await server.call('GET', path, { token })).json<{ data: EntityJson[] }>();
    const found = await list('/api/otaPackages?pageSize=10&page=0&textSearch=NEEDLE');
    expect(found).toMatchObject({ totalElements: 1, totalPages: 1, hasNext: false, data: [{ id: { id: ready } }] });
    const ofProfile = await list(`/api/otaPackages/${deviceProfileId.id}/FIRMWARE?pageSize=10&page=0`);
    expect(ofProfile.data.map(({ id }) => id.id)).toEqual([ready]);
    expect(
      (await server.call('GET', `/api/otaPackages/${deviceProfileId.id}/firmware?pageSize=1&page=0`, { token })).status,
    ).toBe(400);
    expect((await server.call('GET', '/api/otaPackages', { token })).status).toBe(400);
  });

  it('is deleted with its bytes, but not while a device or a profile refers to it', async () => {
    const id = await client.uploaded(randomBytes(1_000));
    const firmwareId = { entityType: 'OTA_PACKAGE', id };
    const device = await server.call('POST', '/api/device', { token, body: { name: 'holder', firmwareId } });
    expect(device.json()).toMatchObject({ firmwareId });
    const remove = () => server.call('DELETE', `/api/otaPackage/${id}`, { token });
    expect((await remove()).json()).toMatchObject({ status: 400, errorCode: 31 });
    await server.call('DELETE', `/api/device/${device.json<EntityJson>().id.id}`, { token });
    expect(await remove()).toMatchObject({ status: 200, text: '' });
    expect((await remove()).status).toBe(404);
    expect((await client.download(id)).status).toBe(404);
  });
});

describe('A package that is assigned', () => {
  it('is told to the device over the server API, and taken from it', async () => {
    const id = await client.uploaded(Buffer.from('image'), { title: 'assigned', version: '2.0' });
    const device = (await server.call('POST', '/api/device', { token, body: { name: 'updated' } })).json<EntityJson>();
    const firmwareId = { entityType: 'OTA_PACKAGE', id };
    const saved = await server.call('POST', '/api/device', { token, body: { ...device, firmwareId } });
    expect(saved.json()).toMatchObject({ firmwareId, softwareId: null });
    const attributes = async () => {
      const path = `/api/plugins/telemetry/DEVICE/${device.id.id}/values/attributes/SHARED_SCOPE`;
      const list = (await server.call('GET', path, { token })).json<{ key: string; value: unknown }[]>();
      return Object.fromEntries(list.map(({ key, value }) => [key, value]));
    };
    expect(await attributes()).toEqual({
      fw_checksum: createHash('sha256').update('image').digest('hex'),
      fw_checksum_algorithm: 'SHA256',
      fw_size: 5,
      fw_title: 'assigned',
      fw_version: '2.0',
    });
    await server.core.state.materialiser.caughtUp();
    const keys = 'fw_state,target_fw_title,target_fw_version,target_fw_ts';
    const path = `/api/plugins/telemetry/DEVICE/${device.id.id}/values/timeseries?keys=${keys}`;
    expect((await server.call('GET', path, { token })).json()).toMatchObject({
      fw_state: [{ value: 'INITIATED' }],
      target_fw_title: [{ value: 'assigned' }],
      target_fw_version: [{ value: '2.0' }],
      target_fw_ts: [{ value: String(server.clock.now()) }],
    });
    await server.call('POST', '/api/device', { token, body: { ...saved.json<object>(), firmwareId: null } });
    expect(await attributes()).toEqual({});
  });

  it('is told to the devices of a profile', async () => {
    const profile = await server.call('GET', `/api/deviceProfile/${client.profileId.id}`, { token });
    const id = await client.uploaded(Buffer.from('of the profile'), { type: 'SOFTWARE' });
    const device = await server.createDevice(token, 'member');
    const softwareId = { entityType: 'OTA_PACKAGE', id };
    const saved = await server.call('POST', '/api/deviceProfile', {
      token,
      body: { ...profile.json<object>(), softwareId },
    });
    expect(saved.json()).toMatchObject({ softwareId });
    while (await server.core.firmware.rollouts.work());
    const shared = await server.core.attributes.read(device, 'SHARED', ['sw_size']);
    expect(shared).toMatchObject([{ value: '14' }]);
    const wrong = { entityType: 'OTA_PACKAGE', id: await client.create({ type: 'SOFTWARE' }) };
    const body = { ...saved.json<object>(), softwareId: wrong };
    expect((await server.call('POST', '/api/deviceProfile', { token, body })).json()).toMatchObject({
      status: 400,
      message: "Can't assign software with empty data!",
    });
  });
});
