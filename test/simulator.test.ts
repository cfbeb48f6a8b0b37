import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freeTcpPort } from './support/free-port';
import { cleanUp, GatewayProcess, TandemProcess, temporaryFolder } from './support/gateway-process';
import { ServerClient } from './support/server-client';
import { useSecret } from './support/used-secrets';

let gateway: GatewayProcess;
let server: ServerClient;
beforeAll(async () => {
  gateway = await GatewayProcess.start();
  server = await ServerClient.login(gateway.http);
});
afterAll(cleanUp);

const urlOf = (protocol: string) =>
  protocol === 'http' ? `http://127.0.0.1:${gateway.http}` : `coap://localhost:${gateway.coap}`;

const device = (url: string, ...args: string[]) => new TandemProcess(['device', url, ...args], {});

async function finished(simulator: TandemProcess) {
  const { code } = await simulator.exit;
  return { code, lines: simulator.stdout.trimEnd().split('\n'), stderr: simulator.stderr };
}

/** Resolves when it has printed that. */
async function printed(simulator: TandemProcess, pattern: RegExp): Promise<void> {
  while (!pattern.test(simulator.stdout)) {
    if (!simulator.running) throw new Error(`it ended without ${pattern}: ${simulator.stdout}${simulator.stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What `--json` printed, of one kind. */
const told = (lines: readonly string[], kind: 'sent' | 'received' | 'summary' | 'trouble') =>
  lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter((line) => kind in line);

describe.each(['http', 'coap'])('A device that is played over %s', (protocol) => {
  it('sends telemetry, hears of attributes and answers commands', async () => {
    const token = `played-over-${protocol}`;
    const id = await server.createDevice(token);
    await server.share(id, '{"targetTemperature":21.5}');
    const args = ['--token', token, '--telemetry', '{"n":"{{count}}"}', '--answer', '{"led":"on"}', '--interval', '1h'];
    const simulator = device(urlOf(protocol), ...args, '--json');
    await printed(simulator, /"received":"attributes".*21\.5/);
    const answered = server.command('twoway', id, { method: 'setLed', params: { on: true }, timeout: 30_000 });
    await printed(simulator, /"sent":"answer"/);
    expect(await answered).toEqual({ status: 200, text: '{"led":"on"}' });
    // Between two polls it is kept, so whether one is open now does not matter.
    await server.share(id, '{"targetTemperature":22.0}');
    await printed(simulator, /"received":"attributes","body":\{"targetTemperature":22\.0\}/);
    simulator.kill('SIGINT');
    const { code, lines } = await finished(simulator);
    expect(code).toBe(0);
    const ok = protocol === 'http' ? '200' : '2.01';
    expect(told(lines, 'sent')).toEqual([
      expect.objectContaining({ device: 'device-1', sent: 'telemetry', code: ok, body: { n: 0 } }),
      expect.objectContaining({ sent: 'answer', code: ok, body: '0 {"led":"on"}' }),
    ]);
    expect(told(lines, 'summary')).toEqual([{ summary: { sent: 1, updates: 2, commands: 1, refused: 0 } }]);
  });

  it('is told what a wrong token means', async () => {
    const { code, lines } = await finished(device(urlOf(protocol), '--token', 'nobody-has-this', '--no-listen'));
    expect(code).toBe(1);
    expect(lines[0]).toMatch(/ device-1 ! refused: 4\.?01: no device of this gateway has that token\. Make one/);
    expect(lines[1]).toBe('0 sent, 0 updates of attributes, 0 commands');
  });

  it('is many that register themselves, and comes again with their tokens', async () => {
    const [key, secret] = [`fleet-key-over-${protocol}`, `fleet-secret-over-${protocol}`];
    for (const text of [key, secret]) useSecret(text);
    const profile = {
      name: `Fleet over ${protocol}`,
      type: 'DEFAULT',
      transportType: 'DEFAULT',
      provisionType: 'ALLOW_CREATE_NEW_DEVICES',
      provisionDeviceKey: key,
      profileData: {
        provisionConfiguration: { type: 'ALLOW_CREATE_NEW_DEVICES', provisionDeviceSecret: secret },
      },
    };
    expect(await server.send('POST', '/api/deviceProfile', profile)).toMatchObject({ status: 200 });
    const file = join(temporaryFolder(), 'tokens');
    const fleet = ['--provision-key', key, '--provision-secret', secret, '--count', '3', '--save-tokens', file];
    const sending = ['--messages', '1', '--interval', '200ms', '--no-listen'];
    const first = await finished(device(urlOf(protocol), ...fleet, ...sending, '--name-prefix', `meter-${protocol}`));
    expect(first.code).toBe(0);
    expect(first.lines.filter((line) => line.includes(' > telemetry '))).toHaveLength(3);
    expect(first.lines[0]).toContain(`meter-${protocol}-1 > provision {"deviceName":"meter-${protocol}-1"} SUCCESS`);
    const tokens = (await readFile(file, 'utf8')).trim().split('\n');
    for (const token of tokens) useSecret(token);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const again = await finished(device(urlOf(protocol), '--token-file', file, ...sending));
    expect(again).toMatchObject({
      code: 0,
      lines: expect.arrayContaining(['3 sent, 0 updates of attributes, 0 commands']),
    });

    const refused = await finished(
      device(urlOf(protocol), '--provision-key', key, '--provision-secret', 'not-the-secret'),
    );
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /^tandem: simulated-\w+-1 is not provisioned: (?:4\.00: )?Provision data was not found! Is there a device profile .*provision-devices\.md\n$/,
    );
  });

  it('goes through a rollout of firmware', async () => {
    const token = `rolled-out-over-${protocol}`;
    const id = await server.createDevice(token);
    const made = async (path: string, body: object) => JSON.parse((await server.send('POST', path, body)).text);
    const { deviceProfileId } = JSON.parse((await server.send('GET', `/api/device/${id}`)).text);
    const about = { deviceProfileId, type: 'FIRMWARE', title: `over ${protocol}`, version: '1.1' };
    const { id: firmwareId } = await made('/api/otaPackage', about);
    const form = new FormData();
    form.append('file', new Blob(['x'.repeat(5_000)]), 'image.bin');
    const upload = `http://127.0.0.1:${gateway.http}/api/otaPackage/${firmwareId.id}?checksumAlgorithm=SHA256`;
    await fetch(upload, { method: 'POST', body: form, headers: { 'X-Authorization': `Bearer ${server.jwt}` } });
    const simulator = device(urlOf(protocol), '--token', token, '--firmware', '--messages', '0');
    const assigned = JSON.parse((await server.send('GET', `/api/device/${id}`)).text);
    await made('/api/device', { ...assigned, firmwareId });
    await printed(simulator, /"fw_state":"UPDATED"/);
    simulator.kill('SIGTERM');
    const { code, lines } = await finished(simulator);
    expect(code).toBe(0);
    const states = lines.flatMap((line) => /"fw_state":"(\w+)"/.exec(line)?.[1] ?? []);
    expect(states).toEqual(['DOWNLOADING', 'DOWNLOADED', 'VERIFIED', 'UPDATING', 'UPDATED']);
    expect(lines.some((line) => line.endsWith(`< firmware over ${protocol} 1.1, 5000 bytes`))).toBe(true);
  });
});

describe('tandem device', () => {
  it('goes on trying a gateway that is not there, until its time is over, and has failed then', async () => {
    const url = `http://127.0.0.1:${await freeTcpPort()}`;
    const { code, lines } = await finished(device(url, '--token', 'any-token-at-all', '--for', '900ms', '--no-listen'));
    expect(code).toBe(1);
    expect(lines.filter((line) => line.includes(`! ${url} does not listen there; again in`)).length).toBeGreaterThan(1);
  });
});
