import { findPreSharedKey } from '@tandem/core';
import { type DeviceJson, ServerUnderTest } from '../testing/server-under-test';

const KEY = '00112233445566778899aabbccddeeff';
const OTHER_KEY = 'f0'.repeat(32);

let server: ServerUnderTest;
let token: string;
beforeAll(async () => {
  server = await ServerUnderTest.start({ TANDEM_COAP_DTLS_PSK: 'true' });
  token = (await server.login()).token;
});
afterAll(() => server.stop());

const post = (path: string, body: object) => server.call('POST', path, { token, body });
const psk = (credentialsId: string, credentialsValue: string) => ({
  credentialsType: 'PSK',
  credentialsId,
  credentialsValue,
});
const create = async (name: string, credentials: object) =>
  (await post('/api/device-with-credentials', { device: { name }, credentials })).json<DeviceJson>();
const credentialsOf = async ({ id }: DeviceJson) =>
  (await server.call('GET', `/api/device/${id.id}/credentials`, { token })).json<Record<string, unknown>>();
const keyOf = async (identity: string) => (await findPreSharedKey(server.core.state.devices, identity))?.key;

describe('A pre-shared key', () => {
  it('is the credentials of a device that is made with it, and can be changed', async () => {
    const device = await create('keyed', psk('identity', KEY.toUpperCase()));
    const stored = await credentialsOf(device);
    expect(stored).toMatchObject({ ...psk('identity', KEY), version: 1 });
    expect(await keyOf('identity')).toEqual(Buffer.from(KEY, 'hex'));
    const ended: string[] = [];
    const session = await server.core.auth.resolveFor('PSK', ['identity']);
    server.core.auth.onSessionEnd(session, (reason) => ended.push(reason));
    const changed = await post('/api/device/credentials', { ...stored, credentialsValue: OTHER_KEY });
    expect(changed.json()).toMatchObject({ ...psk('identity', OTHER_KEY), version: 2 });
    expect(await keyOf('identity')).toEqual(Buffer.from(OTHER_KEY, 'hex'));
    expect(ended).toEqual(['credentials']);
  });

  it('is no token by its identity, and no token is the identity of a key', async () => {
    await create('by key', psk('by-key', KEY));
    await server.createDevice(token, 'by-token');
    await expect(server.core.auth.resolve('by-key')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect(await keyOf('by-token')).toBeUndefined();
    await expect(server.core.auth.resolveFor('PSK', ['by-token'])).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect(await server.core.auth.resolveFor('PSK', ['by-key'])).toMatchObject({ deviceName: 'by key' });
  });

  it('has an identity of its own, and what refuses it never repeats it', async () => {
    await create('first', psk('taken', KEY));
    const answer = await post('/api/device-with-credentials', {
      device: { name: 'second' },
      credentials: psk('taken', OTHER_KEY),
    });
    expect(answer.json()).toMatchObject({ status: 400, message: 'Specified credentials are already registered!' });
    const short = await post('/api/device-with-credentials', {
      device: { name: 'third' },
      credentials: psk('short', KEY.slice(2)),
    });
    expect(short.json()).toMatchObject({ status: 400, message: expect.stringContaining('16 to 64 bytes') });
    expect(answer.text + short.text).not.toMatch(new RegExp(`${OTHER_KEY}|${KEY.slice(2)}`));
  });

  it('comes with a list of devices, and a changed one is taken', async () => {
    const columns = ['NAME', 'PSK_IDENTITY', 'PSK_KEY'].map((type) => ({ type }));
    const importOf = async (file: string) =>
      (await post('/api/device/bulk_import', { file, mapping: { columns } })).json<object>();
    const rows = `one,id-1,${KEY}\ntwo,id-2,\nthree,,${KEY}`;
    expect(await importOf(rows)).toMatchObject({
      created: 1,
      errorsList: [
        'Line 2: The pre-shared key should be specified in credentialsValue!',
        'Line 3: The identity of a pre-shared key should be specified in credentialsId!',
      ],
    });
    expect(await keyOf('id-1')).toEqual(Buffer.from(KEY, 'hex'));
    expect(await importOf(`one,id-1,${OTHER_KEY}`)).toMatchObject({ updated: 1 });
    expect(await keyOf('id-1')).toEqual(Buffer.from(OTHER_KEY, 'hex'));
  });
});
