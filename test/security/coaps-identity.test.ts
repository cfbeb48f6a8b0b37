import { type DtlsClientOptions, DtlsDevice } from '../support/dtls-device';
import { cleanUp, GatewayProcess } from '../support/gateway-process';
import { ServerClient } from '../support/server-client';
import { type Identity, Pki } from './pki';

const KEY = '00112233445566778899aabbccddeeff';

let pki: Pki;
let gateway: GatewayProcess;
let server: ServerClient;
let coaps: number;
const clients: DtlsDevice[] = [];

beforeAll(async () => {
  pki = new Pki();
  gateway = await GatewayProcess.start({
    COAP_DTLS_ENABLED: 'true',
    COAP_DTLS_BIND_ADDRESS: '127.0.0.1',
    COAP_DTLS_BIND_PORT: '0',
    COAP_DTLS_PEM_CERT: pki.server.chainFile,
    COAP_DTLS_PEM_KEY: pki.server.keyFile,
    TANDEM_COAP_DTLS_PSK: 'true',
    TANDEM_COAP_DTLS_HANDSHAKE_TIMEOUT: '3000',
  });
  coaps = Number((await gateway.logged('ready')).coaps);
  server = await ServerClient.login(gateway.http);
});
afterEach(() => {
  for (const client of clients.splice(0)) client.kill();
});
afterAll(async () => {
  await cleanUp();
  pki.remove();
});

function connect(options: DtlsClientOptions = {}): DtlsDevice {
  const client = new DtlsDevice(coaps, options);
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

describe('What a client shows in its handshake', () => {
  it('stands for its device, be it a certificate or a key; without, paths without a token are nobody’s', async () => {
    await withCertificate('certified', pki.client);
    await withKey('keyed', 'the identity');
    expect(await connect({ certificate: pki.client }).post('api/v1/telemetry')).toBe('ACK 2.01');
    expect(await connect({ psk: { identity: 'the identity', key: KEY } }).post('api/v1/telemetry')).toBe('ACK 2.01');
    expect(await connect().post('api/v1/telemetry')).toBe('ACK 4.01');
  });

  it('is refused as a bad certificate when it has expired', async () => {
    expect(await connect({ certificate: pki.expiredClient }).ended).toContain('alert 42');
  });
});
