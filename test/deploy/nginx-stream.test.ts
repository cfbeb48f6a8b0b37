import { rmSync } from 'node:fs';
import { HttpsClient, SecureAdmin } from '../security/https-client';
import { Pki } from '../security/pki';
import { CoapDevice } from '../support/coap-device';
import { freeTcpPort, freeUdpPort } from '../support/free-port';
import { cleanUp, GatewayProcess, temporaryFolder } from '../support/gateway-process';
import { hasNginxStream, type RunningProxy, startNginxStream } from './proxies';

const TOKEN = 'behind-nginx-stream';

// Where nginx has its module for streams; CI installs it.
(hasNginxStream() ? describe : describe.skip)('nginx with our example for what is below HTTP', () => {
  const pki = new Pki();
  let gateway: GatewayProcess;
  let proxy: RunningProxy;
  let tls: number;
  let coap: number;
  let deviceId: string;
  let admin: SecureAdmin;
  let client: HttpsClient;

  beforeAll(async () => {
    [tls, coap] = await Promise.all([freeTcpPort(), freeUdpPort()]);
    gateway = await GatewayProcess.start({
      SSL_ENABLED: 'true',
      SSL_PEM_CERT: pki.server.chainFile,
      SSL_PEM_KEY: pki.server.keyFile,
      TANDEM_SSL_CLIENT_CERTIFICATES: 'true',
    });
    proxy = await startNginxStream({ folder: temporaryFolder(), tls, coap, gateway });
    client = new HttpsClient(tls, pki.root);
    admin = await SecureAdmin.login(client);
    deviceId = await admin.device('Behind a stream', TOKEN);
  });
  afterAll(async () => {
    client?.close();
    await proxy?.stop();
    await cleanUp();
    rmSync(pki.folder, { recursive: true });
  });

  it('CoAP gets through, and a device that observes is told of a change', async () => {
    const device = await CoapDevice.open(coap, TOKEN);
    expect((await device.post('telemetry', '{"temperature":42.0}')).code).toBe('2.01');
    const observation = device.observe('attributes');
    expect((await observation.next()).observe).toBe(true);
    await admin.json('POST', `/api/plugins/telemetry/DEVICE/${deviceId}/SHARED_SCOPE`, { target: 21.5 });
    expect(await observation.next()).toMatchObject({ code: '2.05', text: '{"target":21.5}' });
    device.close();
  });

  it('TLS is passed through, so that a device is known by its certificate', async () => {
    await admin.giveCertificate(deviceId, pki.client);
    const device = new HttpsClient(tls, pki.root, pki.client);
    expect((await device.post('/api/v1/telemetry', '{"energy":12.5}')).status).toBe(200);
    device.close();
    expect((await client.post('/api/v1/telemetry', '{"energy":12.5}')).status).toBe(401);
  });
});
