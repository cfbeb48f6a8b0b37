import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asOnPage, examplesOn } from './page-examples/examples';
import { outputOf, Shell } from './page-examples/shell';
import {
  ADMIN_EMAIL,
  ADMIN_PASSWORD,
  cleanUp,
  GatewayProcess,
  ROOT,
  TandemProcess,
  temporaryFolder,
} from './support/gateway-process';
import { ServerClient } from './support/server-client';
import { useSecret } from './support/used-secrets';

const TOKEN = 'token-of-a-boiler-81';
const PROVISION_KEY = 'provision-key-of-boilers-82';
const MQTT_PASSWORD = 'password-of-a-broker-83';
const VALUES = '{"whole":9007199254740993,"double":20.0,"text":"on","flag":false,"json":{"a":[1,2.50]}}';

afterAll(cleanUp);

/** The old server is a gateway as well: it answers the same REST calls. */
describe('Moving from another server', () => {
  const examples = examplesOn('docs/guides/move-from-thingsboard.md');
  let old: GatewayProcess;
  let fresh: GatewayProcess;
  let oldServer: ServerClient;
  let server: ServerClient;
  let folder: string;

  beforeAll(async () => {
    [old, fresh] = await Promise.all([GatewayProcess.start(), GatewayProcess.start()]);
    [oldServer, server] = await Promise.all([ServerClient.login(old.http), ServerClient.login(fresh.http)]);
    folder = temporaryFolder();
    for (const file of ['old-password', 'new-password']) writeFileSync(join(folder, file), `${ADMIN_PASSWORD}\n`);
    writeFileSync(
      join(folder, 'thingsboard.conf'),
      'export JAVA_OPTS="-Xmx2g"\nexport HTTP_REQUEST_TIMEOUT=30000\nexport COAP_TIMEOUT=5000\nexport SPRING_DATASOURCE_URL=jdbc:x\n',
    );
    await fill(oldServer);
  });

  it('goes as the guide says', async () => {
    const shell = new Shell(folder, {
      PATH: process.env.PATH ?? '',
      OLD: `http://127.0.0.1:${old.http}`,
      NEW: `http://127.0.0.1:${fresh.http}`,
      TOKEN,
    });
    await outputOf(shell.run(`tandem() { node ${join(ROOT, 'packages/gateway/bin/tandem.js')} "$@"; }\n`));
    expect(examples).toHaveLength(4);
    for (const { commands, output } of examples) {
      const printed = await outputOf(shell.run(commands));
      expect({ commands, printed: asOnPage(printed, output) }).toEqual({ commands, printed: output });
    }
    await shell.close();
    expect(readFileSync(join(folder, 'tandem.env'), 'utf8')).toBe(
      'export HTTP_REQUEST_TIMEOUT=30000\nexport COAP_TIMEOUT=5000\n',
    );
  });

  it('keeps values and their types, with the times of the latest telemetry', async () => {
    const id = await idOf(server, 'boiler');
    const attributes = await server.send('GET', `/api/plugins/telemetry/DEVICE/${id}/values/attributes/SERVER_SCOPE`);
    for (const member of ['9007199254740993', '20.0', '"on"', 'false', '{"a":[1,2.50]}']) {
      expect(attributes.text).toContain(`"value":${member}`);
    }
    const latest = await server.send(
      'GET',
      `/api/plugins/telemetry/DEVICE/${id}/values/timeseries?keys=pressure&useStrictDataTypes=true`,
    );
    expect(latest.text).toBe('{"pressure":[{"ts":1700000000000,"value":1.0}]}');
  });

  it('keeps the profile with its provisioning key, the customer and credentials of other types', async () => {
    const infos = JSON.parse((await server.send('GET', '/api/tenant/deviceInfos?pageSize=10&page=0')).text).data;
    expect(
      infos
        .map(({ name, deviceProfileName, customerTitle, customerIsPublic }: Record<string, unknown>) => [
          name,
          deviceProfileName,
          customerTitle,
          customerIsPublic,
        ])
        .sort(),
    ).toEqual([
      ['boiler', 'boilers', 'Tenants of the house', false],
      ['broker', 'boilers', null, false],
      ['open', 'default', 'Public', true],
    ]);
    const credentials = await server.send('GET', `/api/device/${await idOf(server, 'broker')}/credentials`);
    expect(JSON.parse(credentials.text)).toMatchObject({
      credentialsType: 'MQTT_BASIC',
      credentialsValue: expect.stringContaining(MQTT_PASSWORD),
    });
    const profiles = JSON.parse((await server.send('GET', '/api/deviceProfiles?pageSize=10&page=0')).text).data;
    expect(profiles).toContainEqual(
      expect.objectContaining({ name: 'boilers', provisionDeviceKey: PROVISION_KEY, default: false }),
    );
  });

  it('leaves what is there as it is, and writes it once more when told to', async () => {
    const id = await idOf(server, 'boiler');
    await server.share(id, { targetTemperature: 25 });
    await copy();
    const shared = () =>
      server.send('GET', `/api/plugins/telemetry/DEVICE/${id}/values/attributes/SHARED_SCOPE?keys=targetTemperature`);
    expect((await shared()).text).toContain('"value":25');
    await copy('--update');
    expect((await shared()).text).toContain('"value":20.0');
  });

  it('says by name what could not be copied, and copies the rest', async () => {
    await oldServer.createDevice('token-that-is-taken-84', 'late');
    await oldServer.createDevice('token-of-another-85', 'another');
    await server.createDevice('token-that-is-taken-84', 'earlier');
    expect(await copy()).toEqual({
      code: 1,
      stdout: expect.stringMatching(
        /^Device late: The gateway answers 400: [^\n]*already registered[^\n]*\n1 devices copied, 3 were there, 1 not copied\n$/,
      ),
      stderr: '',
    });
  });

  it('says which of the two does not let it in', async () => {
    writeFileSync(join(folder, 'wrong'), 'Wrong-Password-86');
    useSecret('Wrong-Password-86');
    expect(await copy('--from-password-file', join(folder, 'wrong'))).toEqual({
      code: 1,
      stdout: '',
      stderr: 'tandem: The old server answers 401: Invalid username or password\n',
    });
  });

  async function copy(...more: string[]) {
    const command = new TandemProcess(
      [
        ...['devices', 'copy', '--from', `http://127.0.0.1:${old.http}`, '--url', `http://127.0.0.1:${fresh.http}`],
        ...['--from-username', ADMIN_EMAIL, '--from-password-file', join(folder, 'old-password')],
        ...['--username', ADMIN_EMAIL, '--password-file', join(folder, 'new-password'), ...more],
      ],
      {},
    );
    const { code } = await command.exit;
    return { code, stdout: command.stdout, stderr: command.stderr };
  }
});

async function idOf(server: ServerClient, name: string): Promise<string> {
  return JSON.parse((await server.send('GET', `/api/tenant/devices?deviceName=${name}`)).text).id.id;
}

/** A fleet of three, with one of everything that moves. */
async function fill(server: ServerClient): Promise<void> {
  const made = async (path: string, body: unknown) => {
    const { status, text } = await server.send('POST', path, body);
    expect({ path, status, text }).toMatchObject({ status: 200 });
    return JSON.parse(text || '{}');
  };
  await made('/api/deviceProfile', {
    name: 'boilers',
    type: 'DEFAULT',
    transportType: 'DEFAULT',
    provisionType: 'CHECK_PRE_PROVISIONED_DEVICES',
    provisionDeviceKey: PROVISION_KEY,
    profileData: {
      configuration: { type: 'DEFAULT' },
      transportConfiguration: { type: 'DEFAULT' },
      provisionConfiguration: { type: 'CHECK_PRE_PROVISIONED_DEVICES', provisionDeviceSecret: 'provision-secret-87' },
    },
  });
  const customer = await made('/api/customer', { title: 'Tenants of the house' });
  const boiler = await made(`/api/device?accessToken=${TOKEN}`, { name: 'boiler', type: 'boilers', label: 'Cellar' });
  await made(`/api/customer/${customer.id.id}/device/${boiler.id.id}`, undefined);
  await made(`/api/plugins/telemetry/DEVICE/${boiler.id.id}/SERVER_SCOPE`, VALUES);
  await made(`/api/plugins/telemetry/DEVICE/${boiler.id.id}/SHARED_SCOPE`, '{"targetTemperature":20.0}');
  await made(
    `/api/plugins/telemetry/DEVICE/${boiler.id.id}/timeseries/ANY`,
    '[{"ts":1700000000000,"values":{"pressure":1.0}}]',
  );
  await made('/api/device-with-credentials', {
    device: { name: 'broker', type: 'boilers' },
    credentials: {
      credentialsType: 'MQTT_BASIC',
      credentialsValue: JSON.stringify({ clientId: 'c', userName: 'u', password: MQTT_PASSWORD }),
    },
  });
  const open = await made('/api/device', { name: 'open' });
  await made(`/api/customer/public/device/${open.id.id}`, undefined);
}
