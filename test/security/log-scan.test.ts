import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addLog, addSecret, scan, VARIABLE } from '../../tools/log-scan.cjs';
import LogScanReporter from '../../tools/log-scan-reporter.cjs';
import { ADMIN_PASSWORD, cleanUp, GatewayProcess, temporaryFolder } from '../support/gateway-process';
import { HttpDevice } from '../support/http-device';
import { ServerClient } from '../support/server-client';
import { keepLog, useSecretsOf, useSecretsOfEnvironment } from '../support/used-secrets';

afterAll(cleanUp);

const SECRET = 'a "secret" of 9 wörds';
let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

describe('A scan of the logs of a test run', () => {
  it.each([
    ['as it is', SECRET],
    ['as JSON', JSON.stringify({ message: SECRET })],
    ['percent-encoded', `GET /api/v1/${encodeURIComponent(SECRET)}/x`],
    ['in base64', `Authorization: Basic ${Buffer.from(SECRET).toString('base64')}`],
    ['in base64', `Authorization: Basic ${Buffer.from(`me:${SECRET}`).toString('base64')}`],
    ['in base64', Buffer.from(`tenant:${SECRET}, and more`).toString('base64url')],
    ['in hexadecimal', Buffer.from(SECRET).toString('hex')],
    ['as bytes', JSON.stringify([...Buffer.from(SECRET)])],
  ])('finds a secret %s, and says where without saying it', (form, text) => {
    addSecret(folder, '1', SECRET, 'some.test.ts');
    addLog(folder, 'other.test.ts 7', 'a line\nand ');
    addLog(folder, 'other.test.ts 7', `before ${text} after\nanother`);
    addLog(folder, 'other.test.ts 8', 'nothing here\n');
    const { leaks, ...looked } = scan(folder);
    expect(looked).toMatchObject({ secrets: 1, logs: 2 });
    expect(leaks).toEqual([{ log: 'other.test.ts 7', test: 'some.test.ts', form, line: expect.any(String) }]);
    expect(leaks[0]?.line).toMatch(/^and before .*\(here\).* after$/);
    expect(leaks[0]?.line).not.toContain(SECRET);
  });

  it('finds nothing where there is nothing, nor what is too short to be told from a word', () => {
    addSecret(folder, '1', SECRET, 'some.test.ts');
    addSecret(folder, '1', 'tok1', 'some.test.ts');
    addLog(folder, 'x 1', `tok1 ${SECRET.slice(1)} ${SECRET.slice(0, -1)}`);
    expect(scan(folder)).toMatchObject({ secrets: 1, leaks: [] });
  });

  it('looks through megabytes for thousands of secrets in a moment', () => {
    for (let n = 0; n < 2_000; n++) addSecret(folder, '1', `secret number ${n}.`, 'some.test.ts');
    const line = `${JSON.stringify({ level: 'info', message: 'secret numbers', n: 1, text: 'x'.repeat(200) })}\n`;
    addLog(folder, 'x 1', line.repeat(80_000));
    addLog(folder, 'x 1', 'secret number 1999.');
    const began = performance.now();
    expect(scan(folder).leaks).toHaveLength(1);
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});

describe('The run of tests', () => {
  const given = process.env[VARIABLE];
  afterEach(() => {
    process.env[VARIABLE] = given;
  });

  function report(): { readonly error: Error | undefined; readonly failed: number } {
    process.env[VARIABLE] = folder;
    const reporter = new LogScanReporter();
    const results = { numRuntimeErrorTestSuites: 0 };
    const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    reporter.onRunComplete(new Set(), results);
    write.mockRestore();
    return { error: reporter.getLastError(), failed: results.numRuntimeErrorTestSuites };
  }

  it('fails when a secret stands in a log, and else does not', () => {
    addSecret(folder, '1', SECRET, 'some.test.ts');
    addLog(folder, 'x 1', 'fine\n');
    expect(report()).toEqual({ error: undefined, failed: 0 });
    addLog(folder, 'x 1', `not fine: ${SECRET}\n`);
    expect(report()).toEqual({ error: new Error('1 secrets stand in the logs of the tests'), failed: 1 });
  });

  it('finds the key and the passwords of devices, of the environment and of lists where a process writes them down', async () => {
    const planted: Record<string, string> = {
      'a PSK key': 'c0ffee00c0ffee00c0ffee00c0ffee01',
      'an MQTT password': 'mqtt-password-planted',
      'a password in a URL': 'url-password-planted',
      'a key file': 'feed'.repeat(16),
      'a list of devices': 'token-of-a-list-planted',
    };
    const keyFile = join(folder, 'file-of-the-key');
    writeFileSync(keyFile, `# mine\n${planted['a key file']}\n`);
    process.env[VARIABLE] = folder;
    useSecretsOf(
      JSON.stringify({ credentialsType: 'PSK', credentialsId: 'id', credentialsValue: planted['a PSK key'] }),
    );
    const mqtt = JSON.stringify({ clientId: null, userName: 'name', password: planted['an MQTT password'] });
    useSecretsOf(JSON.stringify({ credentialsType: 'MQTT_BASIC', credentialsValue: mqtt }));
    useSecretsOf(JSON.stringify({ file: `NAME,ACCESS_TOKEN\nlamp one,${planted['a list of devices']}\n` }));
    const url = `redis://me:${planted['a password in a URL']}@redis:6379`;
    useSecretsOfEnvironment({ REDIS_URL: url, TANDEM_SECRET_KEY_FILE: keyFile });
    useSecretsOf(JSON.stringify({ credentialsValue: '-----BEGIN CERTIFICATE-----\nMII', label: 'no secret at all' }));
    keepLog(7, 'lamp one, no secret at all, -----BEGIN CERTIFICATE-----\n');
    expect(scan(folder).leaks).toEqual([]);
    for (const secret of Object.values(planted)) keepLog(7, `line ${secret}\n`);
    const found = scan(folder).leaks.map(({ line }) => line);
    expect(found).toEqual(Object.keys(planted).map(() => 'line (here)'));
  });

  it('keeps what gateways write, and what their clients use as secrets', async () => {
    const gateway = await GatewayProcess.start();
    const server = await ServerClient.login(gateway.http);
    const id = await server.createDevice('a-token-to-be-kept');
    await new HttpDevice(gateway.http, 'a-token-to-be-guessed').post('telemetry', '{}');
    const generated = await server.tokenOf(await server.createDevice(''));
    await server.send('POST', `/api/customer/device/${id}/claim`, { secretKey: 'a-secret-to-be-kept' });
    await gateway.stop();
    const kept = given ?? mkdtempSync(join(tmpdir(), 'none'));
    const textOf = (end: string) =>
      readdirSync(kept)
        .filter((name) => name.endsWith(end))
        .map((name) => readFileSync(join(kept, name), 'utf8'))
        .join('');
    const secrets = textOf('.secrets');
    for (const secret of [
      ...[ADMIN_PASSWORD, server.jwt, server.refreshToken, generated],
      ...['a-token-to-be-kept', 'a-token-to-be-guessed', 'a-secret-to-be-kept'],
    ]) {
      expect(secrets).toContain(`{"secret":"${secret}","test":"log-scan.test.ts"}`);
    }
    expect(readFileSync(join(kept, `log-scan.test.ts ${gateway.pid}.log`), 'utf8')).toBe(gateway.stdout);
  });
});
