import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually';
import { cleanUp, GatewayProcess, temporaryFolder } from '../support/gateway-process';
import { HttpsClient, SecureAdmin } from './https-client';
import { Pki } from './pki';

let pki: Pki;
let served: { certificate: string; key: string };
let gateway: GatewayProcess;
let admin: SecureAdmin;
const clients: HttpsClient[] = [];

beforeAll(async () => {
  pki = new Pki(temporaryFolder());
  served = { certificate: join(pki.folder, 'served.pem'), key: join(pki.folder, 'served.key') };
  serve('server');
  gateway = await GatewayProcess.start({
    SSL_ENABLED: 'true',
    SSL_PEM_CERT: served.certificate,
    SSL_PEM_KEY: served.key,
    TANDEM_SSL_CLIENT_CERTIFICATES: 'true',
    TB_TRANSPORT_SSL_CERTIFICATE_RELOAD_CHECK_INTERVAL: '1',
    TANDEM_HTTP_HEADERS_TIMEOUT: '4000',
  });
  admin = await SecureAdmin.login(client());
});
afterAll(async () => {
  for (const one of clients) one.close();
  await cleanUp();
});

function serve(name: 'server' | 'rsaServer'): void {
  copyFileSync(pki[name].certificateFile, served.certificate);
  copyFileSync(pki[name].keyFile, served.key);
}

function client(...own: ConstructorParameters<typeof HttpsClient> extends [number, infer _, ...infer O] ? O : never) {
  const made = new HttpsClient(gateway.http, pki.root, ...own);
  clients.push(made);
  return made;
}

/** What curl prints: the body and the status. */
async function curl(path: string, ...options: string[]): Promise<string> {
  const args = ['-sS', '-m', '20', '--cacert', pki.root.certificateFile, '-w', ' %{http_code}', ...options];
  const { stdout } = await promisify(execFile)('curl', [...args, `https://localhost:${gateway.http}${path}`]);
  return stdout.trim();
}

/** What `openssl s_client` says of a handshake. */
async function handshake(...options: string[]): Promise<string> {
  const to = ['s_client', '-connect', `127.0.0.1:${gateway.http}`, '-CAfile', pki.root.certificateFile];
  const child = spawn('openssl', [...to, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  await once(child, 'close');
  return said;
}

describe('With SSL_ENABLED the port of HTTP', () => {
  it('serves the device API by HTTPS, to curl and the authority alone', async () => {
    const device = await admin.device('by token', 'tok1');
    expect(await curl('/api/v1/tok1/telemetry', '-d', '{"temperature":21}')).toBe('200');
    expect(await curl('/api/v1/telemetry', '-d', '{"pressure":3}', '-H', 'Authorization: Bearer tok1')).toBe('200');
    expect(await curl('/api/v1/tok1/attributes')).toBe('{} 200');
    await eventually(async () => ((await admin.latest(device, 'pressure')) === '3' ? undefined : 'not stored'));
    await expect(curl('/', '--cacert', pki.otherRoot.certificateFile)).rejects.toThrow(/certificate problem/);
  });

  it.each([
    ['1.2', '-tls1_2', /TLSv1\.2/],
    ['1.3', '-tls1_3', /TLSv1\.3/],
  ])('speaks TLS %s', async (_, option, version) => {
    const said = await handshake(option);
    expect(said).toMatch(version);
    expect(said).toMatch(/Verify return code: 0 \(ok\)/);
  });

  it('speaks no TLS 1.1 and no TLS 1.0', async () => {
    for (const option of ['-tls1_1', '-tls1']) {
      const said = await handshake(option, '-cipher', 'DEFAULT:@SECLEVEL=0');
      expect(said).toMatch(/alert protocol version/);
    }
  });

  it('closes a connection that does not speak TLS, one that goes away in between, and one that says nothing', async () => {
    const answerTo = async (said: string) => {
      const socket = connect(gateway.http, '127.0.0.1', () => socket.write(said));
      let answer = '';
      socket
        .on('error', () => {})
        .on('data', (piece) => {
          answer += piece;
        });
      await once(socket, 'close');
      return answer;
    };
    const lines = gateway.log.length;
    const strange = [
      'GET /api/v1/tok1/attributes HTTP/1.1\r\nHost: x\r\n\r\n',
      'garbage\r\n',
      '\x16\x03\x01\x00\x05',
      '',
    ];
    expect((await Promise.all(strange.map(answerTo))).join()).not.toContain('{');
    const gone = connect(gateway.http, '127.0.0.1', () => gone.end('\x16\x03\x01'));
    gone.on('error', () => {}).resume();
    await once(gone, 'close');
    expect(gateway.log.slice(lines).filter(({ level }) => level !== 'info')).toEqual([]);
    expect((await client().get('/api/v1/tok1/attributes')).status).toBe(200);
  });

  it('answers requests that come one behind the other on one connection, polls, and large bodies', async () => {
    await admin.device('poller', 'tok2');
    const one = client();
    expect((await one.get('/api/v1/tok2/attributes/updates?timeout=1')).status).toBe(408);
    const large = await one.post('/api/v1/tok2/telemetry', JSON.stringify({ text: 'x'.repeat(1_000_000) }));
    expect(large.status).toBe(200);
    expect((await one.get('/api/v1/tok2/nothing')).status).toBe(404);
  });

  it('serves the server API, whose links say https', async () => {
    const user = { email: 'new@example.org', authority: 'TENANT_ADMIN' };
    const { id } = await admin.json<{ id: { id: string } }>('POST', '/api/user?sendActivationMail=false', user);
    const link = await client().get(`/api/user/${id.id}/activationLink`, { 'X-Authorization': `Bearer ${admin.jwt}` });
    expect(link.text).toMatch(/^https:\/\/127\.0\.0\.1:\d+\//);
  });

  it('serves WebSockets', async () => {
    const device = await admin.device('watched', 'tok3');
    const socket = new WebSocket(`wss://127.0.0.1:${gateway.http}/api/ws`, { ca: pki.root.certificate });
    await once(socket, 'open');
    const arrived: string[] = [];
    socket.on('message', (data) => arrived.push(String(data)));
    const cmds = [{ type: 'TIMESERIES', entityType: 'DEVICE', entityId: device, scope: 'LATEST_TELEMETRY', cmdId: 1 }];
    socket.send(JSON.stringify({ authCmd: { cmdId: 0, token: admin.jwt }, cmds }));
    await once(socket, 'message');
    expect((await client().post('/api/v1/tok3/telemetry', '{"level":5}')).status).toBe(200);
    await eventually(() => (arrived.some((text) => text.includes('level')) ? undefined : 'nothing is told'));
    socket.terminate();
  });
});

describe('A client certificate', () => {
  it('stands for its device on paths without a token, as curl sends it', async () => {
    const device = await admin.device('by certificate', 'unused');
    await admin.giveCertificate(device, pki.client);
    const own = ['--cert', pki.client.chainFile, '--key', pki.client.keyFile];
    expect(await curl('/api/v1/telemetry', ...own, '-d', '{"temperature":22}')).toBe('200');
    await eventually(async () => ((await admin.latest(device, 'temperature')) === '22' ? undefined : 'not stored'));
    expect(await curl('/api/v1/telemetry', '-d', '{"temperature":22}')).toBe('401');
  });
});

describe('A certificate that is replaced', () => {
  it('is that of new connections, and those that are open go on', async () => {
    const kept = client();
    const before = await kept.get('/api/v1/tok1/attributes');
    expect([before.status, before.server]).toEqual([200, 'server']);
    const socket = new WebSocket(`wss://127.0.0.1:${gateway.http}/api/ws`, { ca: pki.root.certificate });
    await once(socket, 'open');
    serve('rsaServer');
    await gateway.logged('certificate replaced');
    const fresh = await client().get('/api/v1/tok1/attributes');
    expect([fresh.status, fresh.server]).toEqual([200, 'rsa-server']);
    const after = await kept.get('/api/v1/tok1/attributes');
    expect(after).toMatchObject({ status: 200, server: 'server', port: before.port });
    expect(socket.readyState).toBe(WebSocket.OPEN);
    socket.terminate();
    const expiry = await gateway.metric('tandem_certificate_expiry_timestamp_seconds', { door: 'https' });
    expect(expiry).toBeGreaterThan(Date.now() / 1_000);
  });
});

it('A certificate that cannot be served with stops the start by one line', async () => {
  const stopped = GatewayProcess.launch({ SSL_ENABLED: 'true', SSL_PEM_CERT: '/nowhere.pem' });
  expect((await stopped.exit).code).toBe(1);
  expect(stopped.stderrLines).toEqual(['tandem: SSL_PEM_CERT: /nowhere.pem is not there: set where the file is']);
});
