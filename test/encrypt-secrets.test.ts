import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { type RedisServer, startRedis } from '../packages/state-redis/src/testing/redis-server';
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
import { HttpDevice } from './support/http-device';
import { ServerClient } from './support/server-client';

const TOKEN = 'token-of-a-device-71';
const PROVISION_KEY = 'provision-key-72';
const PROVISION_SECRET = 'provision-secret-73';

afterAll(cleanUp);

/** All files of a folder, one after the other. */
function contentsOf(folder: string): Buffer {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Buffer.concat(files.map(({ parentPath, path, name }) => readFileSync(join(parentPath ?? path, name))));
}

describe('Secrets of a folder that was used without a key', () => {
  const examples = examplesOn('docs/guides/encrypt-secrets.md');
  const folder = temporaryFolder();
  const data = join(folder, 'data');
  const keyFile = join(folder, 'tandem.key');
  const found = () => {
    const contents = contentsOf(data);
    return [TOKEN, PROVISION_KEY, PROVISION_SECRET].filter((secret) => contents.includes(secret));
  };
  let deviceId: string;

  it('are in its files', async () => {
    const gateway = await GatewayProcess.start({}, data);
    const server = await ServerClient.login(gateway.http, ADMIN_EMAIL, ADMIN_PASSWORD);
    deviceId = await server.createDevice(TOKEN, 'lamp');
    await server.send('POST', '/api/deviceProfile', {
      name: 'provisioning',
      type: 'DEFAULT',
      transportType: 'DEFAULT',
      provisionType: 'ALLOW_CREATE_NEW_DEVICES',
      provisionDeviceKey: PROVISION_KEY,
      profileData: {
        configuration: { type: 'DEFAULT' },
        transportConfiguration: { type: 'DEFAULT' },
        provisionConfiguration: { type: 'ALLOW_CREATE_NEW_DEVICES', provisionDeviceSecret: PROVISION_SECRET },
      },
    });
    await gateway.stop();
    expect(found()).toEqual([TOKEN, PROVISION_KEY, PROVISION_SECRET]);
  });

  it('are in none of them any more after what the guide says, which prints what stands in it', async () => {
    expect(examples).toHaveLength(3);
    const ports = { HTTP_BIND_PORT: '0', COAP_BIND_PORT: '0', TANDEM_METRICS_PORT: '0' };
    const shell = new Shell(folder, { PATH: process.env.PATH ?? '', ...ports });
    try {
      await outputOf(shell.run(`tandem() { node ${join(ROOT, 'packages/gateway/bin/tandem.js')} "$@"; }\n`));
      for (const { commands, output } of examples) {
        const printed = await outputOf(shell.run(commands));
        expect({ commands, printed: asOnPage(printed, output) }).toEqual({ commands, printed: output });
        expect(found()).toEqual([]);
      }
    } finally {
      await shell.close();
    }
    expect(readFileSync(keyFile, 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
  });

  it('open the doors as ever, are shown by the server API, and nothing tells the key', async () => {
    const gateway = await GatewayProcess.start({ TANDEM_SECRET_KEY_FILE: keyFile, TANDEM_LOG_LEVEL: 'debug' }, data);
    expect((await new HttpDevice(gateway.http, TOKEN).post('telemetry', '{"a":1}')).status).toBe(200);
    const server = await ServerClient.login(gateway.http, ADMIN_EMAIL, ADMIN_PASSWORD);
    expect(await server.tokenOf(deviceId)).toBe(TOKEN);
    const provisioned = await fetch(`http://127.0.0.1:${gateway.http}/api/v1/provision`, {
      method: 'POST',
      body: JSON.stringify({
        deviceName: 'new',
        provisionDeviceKey: PROVISION_KEY,
        provisionDeviceSecret: PROVISION_SECRET,
      }),
    });
    const answer = (await provisioned.json()) as { status: string; credentialsValue: string };
    expect(answer.status).toBe('SUCCESS');
    const sealing = new TandemProcess(['secrets', 'seal'], {
      TANDEM_DATA_DIR: data,
      TANDEM_SECRET_KEY_FILE: keyFile,
    });
    expect(await sealing.exit).toMatchObject({ code: 1 });
    expect(sealing.stderr).toBe(`tandem: Data folder ${data} is in use by another process (TANDEM_DATA_DIR)\n`);
    await gateway.stop();
    expect(gateway.log).toContainEqual(expect.objectContaining({ message: 'stored secrets are encrypted' }));
    const contents = contentsOf(data);
    for (const secret of [TOKEN, PROVISION_SECRET, answer.credentialsValue])
      expect(contents.includes(secret)).toBe(false);
    const key = readFileSync(keyFile, 'utf8').trim();
    const told = gateway.stdout + gateway.stderr + sealing.stdout + sealing.stderr;
    expect(told).not.toContain(key);
    expect(told).not.toContain(Buffer.from(key, 'hex').toString('base64'));
    expect(contents.includes(Buffer.from(key, 'hex'))).toBe(false);
  });
});

describe('Processes on one Redis', () => {
  let redis: RedisServer;
  const folder = temporaryFolder();
  const keys = [1, 2].map((n) => {
    const file = join(folder, `key-${n}`);
    writeFileSync(file, `${String(n).repeat(64)}\n`, { mode: 0o600 });
    return file;
  });
  const both = join(folder, 'both');
  const settings = (file: string | undefined) => ({
    REDIS_URL: redis.url,
    ...(file === undefined ? {} : { TANDEM_SECRET_KEY_FILE: file }),
  });
  let gateway: GatewayProcess;
  beforeAll(async () => {
    redis = await startRedis();
    writeFileSync(both, `${'2'.repeat(64)}\n${'1'.repeat(64)}\n`, { mode: 0o600 });
    gateway = await GatewayProcess.start(settings(keys[0]));
    const server = await ServerClient.login(gateway.http, ADMIN_EMAIL, ADMIN_PASSWORD);
    await server.createDevice(TOKEN, 'lamp');
  });
  afterAll(() => redis.stop());

  it('are refused with another key or none, in one line', async () => {
    for (const refused of [keys[1], undefined].map((file) => GatewayProcess.launch(settings(file)))) {
      expect(await refused.exit).toEqual({ code: 1, signal: null });
      expect(refused.stderr).toMatch(/^tandem: [^\n]*encrypted[^\n]*\(TANDEM_SECRET_KEY_FILE\)\n$/);
    }
  });

  it('that know a new key go on while everything is sealed by it', async () => {
    const next = await GatewayProcess.start(settings(both));
    const sealing = new TandemProcess(['secrets', 'seal'], settings(both));
    expect(await sealing.exit).toEqual({ code: 0, signal: null });
    expect(sealing.stdout).toMatch(/^Sealed \d+ secrets\.[^\n]*\n$/);
    expect((await new HttpDevice(next.http, TOKEN).post('telemetry', '{"a":1}')).status).toBe(200);
  });
});

describe('A Redis that cannot be used', () => {
  const keyFile = join(temporaryFolder(), 'key');
  const seal = (url: string) =>
    new TandemProcess(['secrets', 'seal'], {
      REDIS_URL: url,
      TANDEM_SECRET_KEY_FILE: keyFile,
      TANDEM_REDIS_TIMEOUT: '1000',
    });
  let redis: RedisServer;
  beforeAll(async () => {
    writeFileSync(keyFile, `${'3'.repeat(64)}\n`, { mode: 0o600 });
    redis = await startRedis({ password: 'right-password' });
  });
  afterAll(() => redis.stop());

  it.each([
    ['for a wrong password', () => redis.url.replace('right', 'wrong'), 'refuses the user name or the password'],
    ['without a password', () => redis.url.replace(':right-password@', ''), 'wants a password'],
    ['where nobody listens', () => 'redis://127.0.0.1:1', 'refuses the connection: is Redis running there?'],
  ])('ends the command in one line %s', async (_, url, reason) => {
    const sealing = seal(url());
    expect(await sealing.exit).toEqual({ code: 1, signal: null });
    expect(sealing.stderr).toMatch(/^tandem: Redis cannot be used: [^\n]*\n$/);
    expect(sealing.stderr).toContain(`${reason} (REDIS_URL)`);
    expect(sealing.stderr).not.toContain('wrong-password');
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('leaves the command to %s', async (signal) => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const connected = once(silent, 'connection');
    const sealing = seal(`redis://127.0.0.1:${(silent.address() as AddressInfo).port}`);
    const [socket] = await connected;
    sealing.kill(signal);
    expect(await sealing.exit).toEqual({ code: null, signal });
    expect(sealing.stderr).toContain(`Stopped by ${signal}`);
    socket.destroy();
    silent.close();
  });
});
