import { createHash } from 'node:crypto';
import { certificateId } from '@tandem/core';
import { CERTIFICATE, OTHER_CERTIFICATE, trimmed } from '@tandem/core/testing';
import { type DeviceJson, OTHER_ADMIN, ServerUnderTest } from '../testing/server-under-test';

let server: ServerUnderTest;
let token: string;
beforeAll(async () => {
  server = await ServerUnderTest.start();
  token = (await server.login()).token;
});
afterAll(() => server.stop());

interface Credentials {
  readonly id: { readonly id: string };
  readonly deviceId: DeviceJson['id'];
  readonly credentialsType: string;
  readonly credentialsId: string;
  readonly credentialsValue: string | null;
  readonly version: number;
}

const BASE64 = trimmed(CERTIFICATE);
const ID = certificateId(BASE64);

const post = (path: string, body: object, as = token) => server.call('POST', path, { token: as, body });
const credentialsOf = async (id: string) =>
  (await server.call('GET', `/api/device/${id}/credentials`, { token })).json<Credentials>();
const both = (device: object, credentials: object, as = token) =>
  post('/api/device-with-credentials', { device, credentials }, as);
const certificate = (credentialsValue: string | null) => ({ credentialsType: 'X509_CERTIFICATE', credentialsValue });
const refusal = (message: string) => ({ status: 400, errorCode: 31, message: expect.stringContaining(message) });

describe('A certificate', () => {
  it('is the credentials of a device that is made with it, by the id that the server computes', async () => {
    const answer = await both({ name: 'certified' }, { ...certificate(CERTIFICATE), credentialsId: 'mine' });
    const device = answer.json<DeviceJson>();
    const credentials = await credentialsOf(device.id.id);
    expect(credentials).toEqual({
      id: { id: expect.any(String) },
      createdTime: server.clock.now(),
      deviceId: device.id,
      credentialsType: 'X509_CERTIFICATE',
      credentialsId: ID,
      credentialsValue: BASE64,
      version: 1,
    });
    const sentBack = await post('/api/device/credentials', credentials);
    expect(sentBack.json()).toEqual({ ...credentials, version: 2 });
  });

  it('never authenticates by its id in the place of a token', async () => {
    await expect(server.core.auth.resolve(ID)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect(server.core.auth.cached(ID)).toBeUndefined();
  });

  it('of one device is refused for another, as a certificate and as a token', async () => {
    const taken = refusal('Specified credentials are already registered!');
    expect((await both({ name: 'second' }, certificate(BASE64))).json()).toMatchObject(taken);
    const asToken = { credentialsType: 'ACCESS_TOKEN', credentialsId: ID };
    expect((await both({ name: 'second' }, asToken)).json()).toMatchObject(taken);
    const id = await server.createDevice(token, 'first a token');
    const before = await credentialsOf(id);
    const answer = await post('/api/device/credentials', { ...before, ...certificate(CERTIFICATE) });
    expect(answer.json()).toMatchObject(taken);
    expect(await credentialsOf(id)).toEqual(before);
  });

  it('takes the place of a token, whose sessions end, and gives it back', async () => {
    const id = await server.createDevice(token, 'rekeyed');
    const before = await credentialsOf(id);
    const ended: string[] = [];
    server.core.auth.onSessionEnd(await server.session(id), (reason) => ended.push(reason));
    const answer = await post('/api/device/credentials', { ...before, ...certificate(OTHER_CERTIFICATE) });
    const certified = answer.json<Credentials>();
    expect(certified).toEqual({
      ...before,
      credentialsType: 'X509_CERTIFICATE',
      credentialsId: certificateId(trimmed(OTHER_CERTIFICATE)),
      credentialsValue: trimmed(OTHER_CERTIFICATE),
      version: 2,
    });
    expect(ended).toEqual(['credentials']);
    await expect(server.core.auth.resolve(before.credentialsId)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    const again = { ...certified, credentialsType: 'ACCESS_TOKEN', credentialsId: before.credentialsId };
    expect((await post('/api/device/credentials', again)).json()).toEqual({ ...before, version: 3 });
    expect(await server.core.auth.resolve(before.credentialsId)).toMatchObject({ deviceId: id });
  });

  it('is what it says to an MQTT broker, and opens no door here', async () => {
    const mqtt = { credentialsType: 'MQTT_BASIC', credentialsValue: '{"userName":"mqttuser","password":"p"}' };
    const device = (await both({ name: 'speaks MQTT' }, mqtt)).json<DeviceJson>();
    const stored = await credentialsOf(device.id.id);
    expect(stored).toMatchObject({
      credentialsType: 'MQTT_BASIC',
      credentialsId: 'mqttuser',
      credentialsValue: '{"clientId":null,"userName":"mqttuser","password":"p"}',
    });
    await expect(server.core.auth.resolve('mqttuser')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    const again = { ...stored, credentialsValue: '{"clientId":"c","userName":"mqttuser"}' };
    expect((await post('/api/device/credentials', again)).json()).toMatchObject({
      credentialsId: createHash('sha3-256').update('c|mqttuser').digest('hex'),
      version: 2,
    });
  });

  it.each([
    ['no certificate', certificate(null), 'X.509 certificate should be specified'],
    ['something else', certificate('MIIB'), 'credentialsValue must be one X.509 certificate'],
    ['two certificates', certificate(CERTIFICATE + OTHER_CERTIFICATE), 'must be one X.509 certificate'],
    [
      'MQTT without a name',
      { credentialsType: 'MQTT_BASIC', credentialsValue: '{"password":"p"}' },
      'Both mqtt client id and user name are empty!',
    ],
    [
      'a type for LwM2M',
      { credentialsType: 'LWM2M_CREDENTIALS', credentialsValue: '{}' },
      'type LWM2M_CREDENTIALS are not',
    ],
    [
      'a pre-shared key, of which there are none here',
      { credentialsType: 'PSK', credentialsId: 'an identity', credentialsValue: 'ab'.repeat(16) },
      'Pre-shared keys are switched off on this server: TANDEM_COAP_DTLS_PSK=true',
    ],
  ])('is refused as %s, and changes nothing', async (name, given, message) => {
    expect((await both({ name: 'refused' }, given)).json()).toMatchObject(refusal(message));
    expect((await server.call('GET', '/api/tenant/devices?deviceName=refused', { token })).status).toBe(404);
    const id = await server.createDevice(token, `keeps its token: ${name}`);
    const before = await credentialsOf(id);
    expect((await post('/api/device/credentials', { ...before, ...given })).json()).toMatchObject(refusal(message));
    expect(await credentialsOf(id)).toEqual(before);
  });
});

describe('A device that exists', () => {
  const made = async (name: string) =>
    (await post('/api/device', { name, type: 'changed together' })).json<DeviceJson>();

  it('is changed together with its credentials', async () => {
    const device = await made('together');
    const before = await credentialsOf(device.id.id);
    const changed = await both({ ...device, name: 'renamed', label: 'l' }, { ...before, credentialsId: 'TOGETHER' });
    expect(changed.json()).toEqual({ ...device, name: 'renamed', label: 'l', version: 2 });
    expect(await credentialsOf(device.id.id)).toEqual({ ...before, credentialsId: 'TOGETHER', version: 2 });
    await expect(server.core.auth.resolve(before.credentialsId)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect(await server.core.auth.resolve('TOGETHER')).toMatchObject({ deviceName: 'renamed' });
  });

  it.each<[string, object, object, object]>([
    [
      'credentials without a type',
      {},
      { credentialsType: null },
      refusal('Device credentials type should be specified'),
    ],
    ['no token', {}, { credentialsId: '' }, refusal('Device credentials id should be specified!')],
    ['the token of another', {}, { credentialsId: 'HELD' }, refusal('Specified credentials are already registered!')],
    [
      'credentials not served',
      {},
      { credentialsType: 'LWM2M_CREDENTIALS' },
      refusal('LWM2M_CREDENTIALS are not supported'),
    ],
    ['a name that is taken', { name: 'the holder' }, {}, refusal('Device with such name already exists!')],
    ['an outdated version', { version: 7 }, {}, { status: 409, errorCode: 35 }],
    ['outdated credentials', {}, { version: 7 }, { status: 409, errorCode: 35 }],
  ])('stays as it is, and so do its credentials, with %s', async (name, ofDevice, ofCredentials, expected) => {
    await post('/api/device?accessToken=HELD', { name: 'the holder' });
    const device = await made(`stays: ${name}`);
    const before = await credentialsOf(device.id.id);
    const given = { ...before, credentialsId: `NEW ${name}`, ...ofCredentials };
    expect((await both({ ...device, label: 'l', ...ofDevice }, given)).json()).toMatchObject(expected);
    expect((await server.call('GET', `/api/device/${device.id.id}`, { token })).json()).toEqual(device);
    expect(await credentialsOf(device.id.id)).toEqual(before);
  });

  it('is as absent for another tenant as one that never was', async () => {
    const device = await made('ours');
    const foreign = (await server.login(OTHER_ADMIN)).token;
    const given = { credentialsType: 'ACCESS_TOKEN', credentialsId: 'STOLEN' };
    const never = { ...device, id: { entityType: 'DEVICE', id: '00000000-0000-4000-8000-000000000000' } };
    for (const body of [device, never]) {
      const message = `Device with id [${body.id.id}] is not found`;
      expect((await both(body, given, foreign)).json()).toMatchObject({ status: 404, errorCode: 32, message });
    }
    await expect(server.core.auth.resolve('STOLEN')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });
});
