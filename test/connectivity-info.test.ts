import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { HttpsClient, SecureAdmin } from './security/https-client';
import { type Identity, Pki } from './security/pki';
import { freeUdpPort } from './support/free-port';
import { cleanUp, type Environment, GatewayProcess, temporaryFolder } from './support/gateway-process';
import { soon } from './support/gateways';
import { ServerClient } from './support/server-client';
import { ShellLine } from './support/shell-line';

interface Line {
  readonly title: string;
  readonly protocol: string;
  readonly command: string;
}

interface Info {
  readonly http?: Readonly<Record<string, string>>;
  readonly coap?: Readonly<Record<string, string>>;
  readonly commands: readonly Line[];
  readonly reason: string | null;
}

/** Shown to people in this order. */
const TITLES = [
  'Send telemetry',
  'Set client attributes',
  'Read attributes',
  'Wait for updates of shared attributes',
  'Wait for commands',
  'Answer command 0',
];
/** A key without a zero and a new line at the end, and with what means something to a shell. */
const KEY = '272422605c0a21ff80017f25';

let pki: Pki;
let folder: string;

beforeAll(() => {
  pki = new Pki();
  folder = temporaryFolder();
  copyFileSync(pki.client.chainFile, join(folder, 'device.pem'));
  copyFileSync(pki.client.keyFile, join(folder, 'device.key'));
});
const lines: ShellLine[] = [];

afterEach(() => Promise.all(lines.splice(0).map((line) => line.kill())));
afterAll(async () => {
  await cleanUp();
  pki.remove();
});

/** Whoever asks for lines, and whose they are. */
class Asker {
  constructor(
    readonly gateway: GatewayProcess,
    readonly server: ServerClient,
  ) {}

  static async start(settings: Environment): Promise<Asker> {
    const gateway = await GatewayProcess.start(settings);
    return new Asker(gateway, await ServerClient.login(gateway.http));
  }

  async device(credentials: object, profile: object = {}): Promise<string> {
    const { status, text } = await this.server.send('POST', '/api/device-with-credentials', {
      device: { name: `device ${++devices}`, ...profile },
      credentials,
    });
    if (status !== 200) throw new Error(text);
    return JSON.parse(text).id.id;
  }

  async info(deviceId: string): Promise<Info> {
    const { status, text } = await this.server.send('GET', `/api/device-connectivity/${deviceId}`);
    if (status !== 200) throw new Error(text);
    return JSON.parse(text);
  }

  /** Resolves when the device waits for something. */
  async waits(deviceId: string): Promise<void> {
    await soon(async () => {
      const { status, text } = await this.server.send('GET', `/api/tandem/waiters?deviceId=${deviceId}`);
      if (status !== 200) throw new Error(`${status} ${text}`);
      const { polls, observations } = JSON.parse(text).total;
      return polls + observations > 0;
    });
  }
}

let devices = 0;

/** Each of them does what it says, as it stands. */
async function runAll(asker: Asker, deviceId: string, told: readonly Line[]): Promise<void> {
  const { server } = asker;
  expect(told.map(({ title }) => title)).toEqual(TITLES);
  const [telemetry, attributes, read, updates, commands, answer] = told.map(({ command }) => command);
  const begin = (line = '') => {
    const shell = new ShellLine(line, folder);
    lines.push(shell);
    return shell;
  };
  const run = async (line = '') => {
    const shell = begin(line);
    expect([await shell.exit, shell.stderr]).toEqual([0, expect.anything()]);
    return shell.stdout;
  };

  await run(telemetry);
  await soon(async () => (await server.history(deviceId, 'temperature')).some(({ value }) => value === '25'));
  await run(attributes);
  expect(await server.attributes(deviceId, 'CLIENT_SCOPE')).toMatchObject({ serial: 'A-17' });
  expect(JSON.parse(await run(read))).toMatchObject({ client: { serial: 'A-17' } });

  const poll = begin(updates);
  await asker.waits(deviceId);
  await server.share(deviceId, { mode: 'eco' });
  await poll.printed('"mode":"eco"');
  await poll.kill();

  const waiting = begin(commands);
  await asker.waits(deviceId);
  const answered = server.command('twoway', deviceId, { method: 'setLed', params: { on: true }, timeout: 60_000 });
  await waiting.printed('"method":"setLed"');
  await run(answer);
  expect(await answered).toEqual({ status: 200, text: '{"done":true}' });
  await waiting.kill();
}

const of = (info: Info, protocol: string) => info.commands.filter((line) => line.protocol === protocol);
const x509 = ({ certificate }: Identity) => ({ credentialsType: 'X509_CERTIFICATE', credentialsValue: certificate });

describe('A gateway with HTTP, CoAP and CoAP over DTLS', () => {
  let asker: Asker;
  beforeAll(async () => {
    asker = await Asker.start({
      COAP_BIND_PORT: String(await freeUdpPort()),
      COAP_DTLS_BIND_PORT: String(await freeUdpPort()),
      COAP_DTLS_ENABLED: 'true',
      COAP_DTLS_PEM_CERT: pki.server.chainFile,
      COAP_DTLS_PEM_KEY: pki.server.keyFile,
      TANDEM_COAP_DTLS_PSK: 'true',
      // A test asks as fast as it can.
      TANDEM_WAITERS_RATE: '1000000:1',
    });
  });

  it.each(['http', 'coap', 'coaps'])(
    'tells a device with a token lines for %s that work as they stand, whatever is in the token',
    async (protocol) => {
      const token = `it's a "token" $(of) ${protocol} *?&#%41;ü!`;
      const deviceId = await asker.device({ credentialsType: 'ACCESS_TOKEN', credentialsId: token });
      const info = await asker.info(deviceId);
      expect(info.reason).toBeNull();
      expect([...new Set(info.commands.map((line) => line.protocol))]).toEqual(['http', 'coap', 'coaps']);
      expect({ ...info.http, ...info.coap }[protocol]).toBe(of(info, protocol)[0]?.command);
      await runAll(asker, deviceId, of(info, protocol));
    },
  );

  it('tells one with a certificate lines that show it', async () => {
    const deviceId = await asker.device(x509(pki.client));
    const info = await asker.info(deviceId);
    expect(info).toMatchObject({ coap: { coaps: info.commands[0]?.command }, reason: null });
    expect(info.http).toBeUndefined();
    await runAll(asker, deviceId, info.commands);
  });

  it('tells one with a pre-shared key lines that have it, whatever bytes it is of', async () => {
    const credentials = {
      credentialsType: 'PSK',
      credentialsId: "it's a 'meter' $1",
      credentialsValue: `${KEY}${KEY}`,
    };
    const deviceId = await asker.device(credentials);
    const info = await asker.info(deviceId);
    await runAll(asker, deviceId, info.commands);
  });

  it.each([
    [
      'MQTT',
      { credentialsType: 'MQTT_BASIC', credentialsValue: '{"userName":"mqtt-user-1"}' },
      {},
      /MQTT_BASIC open no door/,
    ],
    [
      'a key with a zero',
      { credentialsType: 'PSK', credentialsId: 'z', credentialsValue: `00${KEY}${KEY}` },
      {},
      /zero byte/,
    ],
  ])('tells one with %s none, and why', async (_name, credentials, profile, why) => {
    const info = await asker.info(await asker.device(credentials, profile));
    expect(info).toEqual({ commands: [], reason: expect.stringMatching(why) });
  });
});

describe('A gateway with HTTPS and certificates of devices', () => {
  it('tells lines for curl, with the token or the certificate', async () => {
    const gateway = await GatewayProcess.start({
      SSL_ENABLED: 'true',
      SSL_PEM_CERT: pki.server.chainFile,
      SSL_PEM_KEY: pki.server.keyFile,
      TANDEM_SSL_CLIENT_CERTIFICATES: 'true',
      COAP_ENABLED: 'false',
    });
    const client = new HttpsClient(gateway.http, pki.root);
    const admin = await SecureAdmin.login(client);
    for (const credentials of [
      x509(pki.client),
      { credentialsType: 'ACCESS_TOKEN', credentialsId: 'token-over-tls' },
    ]) {
      const device = { name: credentials.credentialsType };
      const { id } = await admin.json<{ id: { id: string } }>('POST', '/api/device-with-credentials', {
        device,
        credentials,
      });
      const info = await admin.json<Info>('GET', `/api/device-connectivity/${id.id}`);
      expect(info.commands.map(({ protocol, title }) => [protocol, title])).toEqual(
        TITLES.map((title) => ['https', title]),
      );
      expect(info).toMatchObject({ http: { https: info.commands[0]?.command }, reason: null });
      for (const { command, title } of info.commands) {
        if (title.startsWith('Wait')) continue;
        const shell = new ShellLine(command, folder, { CURL_CA_BUNDLE: pki.root.certificateFile });
        await shell.exit;
        expect(shell.stderr).toMatch(/^< HTTP\/1.1 200/m);
      }
    }
    client.close();
  });
});
