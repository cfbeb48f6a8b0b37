import { execFile } from 'node:child_process';
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { freeTcpPort, freeUdpPort } from './support/free-port';
import {
  cleanUp,
  type Environment,
  GatewayProcess,
  ROOT,
  TandemProcess,
  temporaryFolder,
} from './support/gateway-process';

const TANDEM = join(ROOT, 'packages/gateway/bin/tandem.js');

afterAll(cleanUp);

async function doctor(environment: Environment, ...args: string[]) {
  const command = new TandemProcess(['doctor', ...args], environment);
  const { code } = await command.exit;
  return { code, lines: command.stdout.split('\n'), stdout: command.stdout, stderr: command.stderr };
}

describe('tandem doctor', () => {
  let gateway: GatewayProcess;
  let settings: Record<string, string>;
  beforeAll(async () => {
    const [http, metrics, coap] = await Promise.all([freeTcpPort(), freeTcpPort(), freeUdpPort()]);
    settings = {
      TANDEM_DATA_DIR: join(temporaryFolder(), 'data'),
      HTTP_BIND_ADDRESS: '127.0.0.1',
      HTTP_BIND_PORT: String(http),
      COAP_BIND_ADDRESS: '127.0.0.1',
      COAP_BIND_PORT: String(coap),
      TANDEM_METRICS_ADDRESS: '127.0.0.1',
      TANDEM_METRICS_PORT: String(metrics),
    };
    gateway = await GatewayProcess.start(settings, settings.TANDEM_DATA_DIR);
  });

  it('finds the gateway that runs with these settings, and that all is its own', async () => {
    const { code, stdout, stderr } = await doctor(settings);
    expect(stderr).toBe('');
    expect(stdout).toMatch(new RegExp(`^ok    gateway: runs already, and is ready: process ${gateway.pid} `, 'm'));
    expect(stdout).toMatch(/^ok {4}TANDEM_DATA_DIR .*: is open in the gateway that runs$/m);
    expect(stdout).toMatch(/^ok {4}HTTP_BIND_PORT \d+: HTTP is served by the gateway that runs$/m);
    expect(stdout).toMatch(/^ok {4}COAP_BIND_PORT \d+: CoAP is served by the gateway that runs$/m);
    expect(stdout).toMatch(/\nNothing is in the way.*\.\n$/);
    expect(code).toBe(0);
  });

  it('names the process that has the data folder open, or a port', async () => {
    const { code, stdout } = await doctor({ ...settings, TANDEM_METRICS_PORT: String(await freeTcpPort()) });
    const owner = `process ${gateway.pid} \\(\\S*node \\S*tandem\\.js\\)`;
    expect(stdout).toMatch(
      new RegExp(`^fail  TANDEM_DATA_DIR .*: is in use by ${owner}\n      -> One process owns`, 'm'),
    );
    expect(stdout).toMatch(new RegExp(`^fail  HTTP_BIND_PORT \\d+: is taken by ${owner}\n      -> Stop that one`, 'm'));
    expect(stdout).toMatch(/\n3 in the way of tandem serve/);
    expect(code).toBe(1);
  });

  it('does not take a gateway with other settings for its own, but names it where it has a port', async () => {
    const other = {
      ...settings,
      TANDEM_DATA_DIR: join(temporaryFolder(), 'other'),
      HTTP_BIND_PORT: String(await freeTcpPort()),
      COAP_BIND_PORT: String(await freeUdpPort()),
    };
    const { code, stdout } = await doctor(other);
    const owner = `process ${gateway.pid} \\(\\S*node \\S*tandem\\.js\\)`;
    expect(stdout).toMatch(
      new RegExp(`^fail  TANDEM_METRICS_PORT \\d+: is taken by ${owner}\n      -> Stop that one`, 'm'),
    );
    expect(stdout).not.toMatch(/runs already|though a gateway runs|served by/);
    expect(stdout).toMatch(/\n1 in the way of tandem serve/);
    expect(code).toBe(1);
  });

  it('asked by another user leaves the folder of the running gateway as it is', async () => {
    // Only root can become somebody else.
    if (process.getuid?.() !== 0) return;
    const above = dirname(settings.TANDEM_DATA_DIR ?? '');
    for (const folder of [above, dirname(above)]) chmodSync(folder, statSync(folder).mode | 0o011);
    const { stdout } = await promisify(execFile)(process.execPath, [TANDEM, 'doctor'], {
      env: settings,
      uid: 65534,
      gid: 65534,
    }).catch((error: { stdout: string }) => error);
    expect(stdout).toMatch(
      /^fail {2}TANDEM_DATA_DIR .*: is in use by another process, and belongs to user 0; this is user 65534$/m,
    );
    expect(stdout).toContain(
      "-> Leave the folder as it is: a gateway runs on it. Ask as its user: sudo -u '#0' tandem doctor.",
    );
    expect(stdout).not.toContain('chown');
  });

  it('explains what is wrong with the settings of a file, to people and to programs', async () => {
    const file = join(temporaryFolder(), 'tandem.env');
    writeFileSync(file, 'HTTP_BIND_PORT=80a\nTANDEM_ADMIN_PASSWORD=Secret-Of-A-File\nHTTP_PORT=8080\n');
    const { code, stdout } = await doctor({}, '--config', file);
    expect(code).toBe(1);
    expect(stdout).toContain(
      'fail  settings: HTTP_BIND_PORT must be a whole number from 0 to 65535, not "80a"\n' +
        `      -> It stands in ${file}. HTTP_BIND_PORT: Port of the device API over HTTP`,
    );
    expect(stdout).toContain('fail  settings: HTTP_PORT is not a setting; the nearest is HTTP_BIND_PORT\n');

    const forPrograms = await doctor({}, '--config', file, '--json');
    expect(forPrograms.code).toBe(1);
    expect(JSON.parse(forPrograms.stdout)).toMatchObject({
      well: false,
      complete: false,
      findings: expect.arrayContaining([
        { level: 'fail', about: 'settings', text: expect.stringContaining('HTTP_PORT'), advice: expect.any(String) },
      ]),
    });
    expect(stdout + forPrograms.stdout).not.toContain('Secret-Of-A-File');
  });

  it('says that there is no such file of settings', async () => {
    const { code, stdout } = await doctor({}, '--config', '/nowhere/tandem.env');
    expect(code).toBe(1);
    expect(stdout).toContain(
      'fail  settings: settings file /nowhere/tandem.env cannot be read: there is no such file\n',
    );
  });
});
