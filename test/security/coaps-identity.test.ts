import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type DtlsClientOptions, DtlsDevice } from '../support/dtls-device';
import { eventually } from '../support/eventually';
import { cleanUp, GatewayProcess } from '../support/gateway-process';
import { ServerClient } from '../support/server-client';
import { type Identity, openssl, Pki } from './pki';

/** Handshakes that led to a session. */
const OPENED = { outcome: ['opened', 'resumed'] };

const KEY = '00112233445566778899aabbccddeeff';

let pki: Pki;
let gateway: GatewayProcess;
let server: ServerClient;
const clients: DtlsDevice[] = [];

/** @returns what it prints */
const run = async (command: string, args: readonly string[]) => (await promisify(execFile)(command, args)).stdout;

beforeAll(async () => {
  pki = new Pki();
  gateway = await GatewayProcess.start({
    COAP_DTLS_ENABLED: 'true',
    COAP_DTLS_PEM_CERT: pki.server.chainFile,
    COAP_DTLS_PEM_KEY: pki.server.keyFile,
    TANDEM_COAP_DTLS_PSK: 'true',
    TANDEM_COAP_DTLS_HANDSHAKE_TIMEOUT: '3000',
  });
  server = await ServerClient.login(gateway.http);
  await withCertificate('of the intermediate', pki.intermediate);
});
afterEach(() => {
  for (const client of clients.splice(0)) client.kill();
});
afterAll(async () => {
  await cleanUp();
  pki.remove();
});

function connect(options: DtlsClientOptions = {}): DtlsDevice {
  const client = new DtlsDevice(gateway.coaps, options);
  clients.push(client);
  return client;
}

async function create(name: string, credentials: object): Promise<string> {
  const answer = await server.send('POST', '/api/device-with-credentials', { device: { name }, credentials });
  if (answer.status !== 200) throw new Error(answer.text);
  return JSON.parse(answer.text).id.id;
}
const withCertificate = (name: string, { certificate }: Identity) =>
  create(name, { credentialsType: 'X509_CERTIFICATE', credentialsValue: certificate });
const withKey = (name: string, identity: string, key = KEY) =>
  create(name, { credentialsType: 'PSK', credentialsId: identity, credentialsValue: key });

/** A device with a token. @returns its id */
const withToken = (token: string) => server.createDevice(token);
const latest = async (deviceId: string, key: string) => (await server.latest(deviceId))[key]?.[0]?.value;

describe('What a client shows in its handshake', () => {
  it('stands for its device, be it a certificate or a key; without, paths without a token are nobody’s', async () => {
    await withCertificate('certified', pki.client);
    await withKey('keyed', 'the identity');
    expect(await connect({ certificate: pki.client }).post('api/v1/telemetry')).toBe('ACK 2.01');
    expect(await connect({ psk: { identity: 'the identity', key: KEY } }).post('api/v1/telemetry')).toBe('ACK 2.01');
    expect(await connect().post('api/v1/telemetry')).toBe('ACK 4.01');
  });

  it('comes before a token in the path, and reaches every feature without one', async () => {
    const [certified, other] = [await withCertificate('rsa', pki.rsaClient), await withToken('of-another')];
    const client = connect({ certificate: pki.rsaClient });
    expect(await client.post('api/v1/of-another/telemetry', '{"mine":1}')).toBe('ACK 2.01');
    expect(await client.post('api/v1/rpc/5', '{}')).toBe('ACK 2.01');
    expect(await client.post('api/v1/attributes', '{"own":true}')).toBe('ACK 2.01');
    expect(await client.ask('GET', 'api/v1/attributes')).toEqual({ kind: 'ACK 2.05', text: '{"client":{"own":true}}' });
    for (const path of ['api/v1/firmware', 'api/v1/software', 'fw', 'sw', 'fw/of-another']) {
      expect([path, (await client.ask('GET', path)).kind]).toEqual([path, 'ACK 4.04']);
    }
    expect((await client.ask('GET', 'api/v1/rpc', '', true)).kind).toBe('ACK 2.03');
    await eventually(async () => ((await latest(certified, 'mine')) === '1' ? undefined : 'it is not stored'));
    expect(await latest(other, 'mine')).toBeUndefined();
  });

  it('holds for a body in blocks as well', async () => {
    const id = await withCertificate('in blocks', pki.selfSigned('in-blocks'));
    const { certificateFile, keyFile } = pki.selfSigned('in-blocks');
    const body = pki.write('body.json', JSON.stringify({ long: 'x'.repeat(900) }));
    const own = ['-c', certificateFile, '-j', keyFile, '-R', pki.root.certificateFile];
    const url = `coaps://127.0.0.1:${gateway.coaps}/api/v1/telemetry`;
    await run('coap-client-openssl', [...own, '-m', 'post', '-b', '64', '-f', body, url]);
    await eventually(async () => ((await latest(id, 'long'))?.length === 900 ? undefined : 'it is not stored'));
  });

  it('that no device has leaves the way of the token, and stands for the device that gets it later', async () => {
    const id = await withToken('unmatched');
    const unknown = pki.selfSigned('unknown');
    const client = connect({ certificate: unknown });
    const wrongOnes = await gateway.metric('tandem_wrong_credentials_total');
    expect(await client.post('api/v1/telemetry')).toBe('ACK 4.01');
    expect(await client.post('api/v1/unmatched/telemetry', '{"b":2}')).toBe('ACK 2.01');
    expect(await gateway.metric('tandem_wrong_credentials_total')).toBe(wrongOnes + 1);
    await eventually(async () => ((await latest(id, 'b')) === '2' ? undefined : 'it is not stored'));
    await withCertificate('later', unknown);
    expect(await client.post('api/v1/telemetry')).toBe('ACK 2.01');
  });

  it('counts with what has really issued it, and never with the certificate of another device behind it', async () => {
    const client = connect({ certificate: pki.clientOfIntermediate, chainFile: pki.intermediate.certificateFile });
    expect(await client.post('api/v1/telemetry')).toBe('ACK 2.01');
    const forger = connect({ certificate: pki.selfSigned('forger'), chainFile: pki.intermediate.certificateFile });
    expect(await forger.post('api/v1/telemetry')).toBe('ACK 4.01');
  });

  it('counts in a resumed session as in the one that it resumes', async () => {
    const sessionOut = `${pki.folder}/session`;
    const certificate = pki.intermediate.issue('of the resumed');
    const chainFile = pki.intermediate.certificateFile;
    const first = connect({ certificate, chainFile, sessionOut });
    expect(await first.post('api/v1/telemetry')).toBe('ACK 2.01');
    const before = await gateway.metric('tandem_dtls_handshakes_total', { outcome: 'resumed' });
    const second = connect({ sessionIn: sessionOut });
    expect(await second.post('api/v1/telemetry')).toBe('ACK 2.01');
    expect(await gateway.metric('tandem_dtls_handshakes_total', { outcome: 'resumed' })).toBe(before + 1);
  });

  it('is refused as a bad certificate when it has expired, is not valid yet or has a weak key', async () => {
    const weak = pki.write('weak.key', openssl('genrsa', '-traditional', '1024'));
    const own = ['-key', weak, '-subj', '/CN=weak', '-days', '30', '-out', `${pki.folder}/weak.pem`];
    openssl('req', '-x509', '-new', ...own);
    const certificate = { certificateFile: `${pki.folder}/weak.pem`, keyFile: weak };
    const more = ['-cipher', 'DEFAULT:@SECLEVEL=0'];
    const refused = [
      connect({ certificate: pki.expiredClient }),
      connect({ certificate: pki.futureClient }),
      connect({ certificate, more }),
    ];
    for (const client of refused) expect(await client.ended).toContain('alert 42');
  });
});

it('A device provisions itself in a session, and goes on in it with the token that it got', async () => {
  const strategy = { type: 'ALLOW_CREATE_NEW_DEVICES', provisionDeviceSecret: 'dtls-secret' };
  const profileData = { configuration: { type: 'DEFAULT' }, provisionConfiguration: strategy };
  const keys = { provisionType: strategy.type, provisionDeviceKey: 'dtls-key' };
  const profile = { name: 'provisioned', type: 'DEFAULT', transportType: 'DEFAULT', ...keys, profileData };
  expect((await server.send('POST', '/api/deviceProfile', profile)).status).toBe(200);
  const client = connect();
  const request = { deviceName: 'new', provisionDeviceKey: 'dtls-key', provisionDeviceSecret: 'dtls-secret' };
  const answer = await client.ask('POST', 'api/v1/provision', JSON.stringify(request));
  expect(answer.kind).toBe('ACK 2.01');
  expect(await client.post(`api/v1/${JSON.parse(answer.text).credentialsValue}/telemetry`)).toBe('ACK 2.01');
});

describe('A session is over, and its observations end in it first,', () => {
  const over = async (options: DtlsClientOptions, act: () => Promise<unknown>) => {
    const client = connect(options);
    const others = await gateway.metric('tandem_coap_observations');
    const observation = await client.observe('api/v1/attributes');
    expect(observation.answer).toBe('ACK 2.05');
    const before = await gateway.metric('tandem_dtls_sessions_ended_total', { reason: 'revoked' });
    await act();
    expect(await observation.next()).toBe('CON 2.02');
    await client.ended;
    expect(await gateway.metric('tandem_dtls_sessions_ended_total', { reason: 'revoked' })).toBe(before + 1);
    await gateway.observations(others);
  };

  it('when its device is deleted', async () => {
    const certificate = pki.selfSigned('deleted');
    const id = await withCertificate('deleted', certificate);
    await over({ certificate }, () => server.send('DELETE', `/api/device/${id}`));
    expect(await connect({ certificate }).post('api/v1/telemetry')).toBe('ACK 4.01');
  });

  it('also where nothing was said in it yet, with a key', async () => {
    const id = await withKey('silent', 'silent');
    const before = await gateway.metric('tandem_dtls_handshakes_total', OPENED);
    const misses = await gateway.metric('tandem_credentials_cache_misses_total');
    const client = connect({ psk: { identity: 'silent', key: KEY } });
    await gateway.settled('tandem_dtls_handshakes_total', before + 1, OPENED);
    expect(await gateway.metric('tandem_credentials_cache_misses_total')).toBe(misses + 1);
    await server.send('DELETE', `/api/device/${id}`);
    expect(await client.ended).toBeDefined();
  });

  it('when its device has other credentials', async () => {
    const psk = { identity: 'changed', key: KEY };
    const id = await withKey('changed', psk.identity);
    const other = 'ff'.repeat(32);
    await over({ psk }, async () => {
      const { text } = await server.send('GET', `/api/device/${id}/credentials`);
      const credentials = { ...JSON.parse(text), credentialsValue: other };
      expect((await server.send('POST', '/api/device/credentials', credentials)).status).toBe(200);
    });
    expect(await connect({ psk: { ...psk, key: other } }).post('api/v1/telemetry')).toBe('ACK 2.01');
  });

  it('when the profile of its device does not allow CoAP any more', async () => {
    const certificate = pki.selfSigned('ruled out');
    const id = await withCertificate('ruled out', certificate);
    const profile = { name: 'of LwM2M', type: 'DEFAULT', transportType: 'LWM2M', provisionType: 'DISABLED' };
    const data = { configuration: { type: 'DEFAULT' }, transportConfiguration: { type: 'LWM2M' } };
    const made = await server.send('POST', '/api/deviceProfile', { ...profile, profileData: data });
    expect(made.status).toBe(200);
    const { text } = await server.send('GET', `/api/device/${id}`);
    await over({ certificate }, async () => {
      const device = { ...JSON.parse(text), deviceProfileId: JSON.parse(made.text).id, type: undefined };
      expect((await server.send('POST', '/api/device', device)).status).toBe(200);
    });
  });
});

describe('A pre-shared key', () => {
  const wrongOnes = () => gateway.metric('tandem_wrong_credentials_total');

  it('that is wrong, or of an identity that nobody has, opens no session, and neither is told from the other', async () => {
    await withKey('guarded', 'guarded');
    const opened = await gateway.metric('tandem_dtls_handshakes_total', OPENED);
    const before = await wrongOnes();
    const guesses = [
      { identity: 'guarded', key: 'ab'.repeat(16) },
      { identity: 'nobody', key: KEY },
    ].map((psk) => connect({ psk }));
    await gateway.settled('tandem_wrong_credentials_total', before + 2);
    expect(guesses.map(({ over }) => over)).toEqual([false, false]);
    expect(await gateway.metric('tandem_dtls_handshakes_total', OPENED)).toBe(opened);
  });

  it('works with the suites of RFC 7252 and with forward secrecy, and with the clients of libcoap', async () => {
    const id = await withKey('suites', 'süites');
    const identity = 'süites';
    for (const suite of ['PSK-AES128-CCM8', 'ECDHE-PSK-CHACHA20-POLY1305']) {
      const client = connect({ psk: { identity, key: KEY }, more: ['-cipher', `${suite}:@SECLEVEL=0`] });
      expect(await client.post('api/v1/telemetry')).toBe('ACK 2.01');
    }
    await withKey('of libcoap', 'libcoap', Buffer.from('sixteen-bytes-ok').toString('hex'));
    const url = `coaps://127.0.0.1:${gateway.coaps}/api/v1/attributes`;
    for (const client of ['coap-client-openssl', 'coap-client-gnutls']) {
      const own = ['-u', 'libcoap', '-k', 'sixteen-bytes-ok'];
      await run(client, [...own, '-m', 'post', '-e', JSON.stringify({ [client]: 1 }), url]);
      expect(await run(client, [...own, '-m', 'get', url])).toContain(`"${client}":1`);
    }
    expect(id).toBeDefined();
  });

  it('is in no line of the log', () => {
    expect(gateway.stdout + gateway.stderr).not.toContain(KEY);
  });
});

describe('Where certificates have to come from an authority', () => {
  let trusting: GatewayProcess;
  beforeAll(async () => {
    trusting = await GatewayProcess.start({
      COAP_DTLS_ENABLED: 'true',
      COAP_DTLS_PEM_CERT: pki.server.chainFile,
      COAP_DTLS_PEM_KEY: pki.server.keyFile,
      TANDEM_X509_TRUST_STORE: pki.root.certificateFile,
      TANDEM_X509_CRL: pki.revocationFile,
    });
  });

  it('those that do reach their device, and each other is told why not', async () => {
    const api = await ServerClient.login(trusting.http);
    const credentials = { credentialsType: 'X509_CERTIFICATE', credentialsValue: pki.clientOfIntermediate.certificate };
    await api.send('POST', '/api/device-with-credentials', { device: { name: 'trusted' }, credentials });
    const to = (options: DtlsClientOptions): DtlsDevice => {
      const client = new DtlsDevice(trusting.coaps, options);
      clients.push(client);
      return client;
    };
    const chainFile = pki.intermediate.certificateFile;
    const chained = to({ certificate: pki.clientOfIntermediate, chainFile });
    expect(await chained.post('api/v1/telemetry')).toBe('ACK 2.01');
    const alerts: [Identity, string][] = [
      [pki.clientOfOther, 'alert 48'],
      [pki.selfSignedClient, 'alert 48'],
      [pki.clientOfIntermediate, 'alert 48'],
      [pki.expiredClient, 'alert 45'],
      [pki.revokedClient, 'alert 44'],
      [pki.serverAuthClient, 'alert 43'],
    ];
    const told = await Promise.all(alerts.map(([certificate]) => to({ certificate }).ended));
    expect(told.map((text) => /alert \d+/.exec(text)?.[0])).toEqual(alerts.map(([, alert]) => alert));
    const anonymous = to({});
    expect(await anonymous.post('api/v1/telemetry')).toBe('ACK 4.01');
  });
});
