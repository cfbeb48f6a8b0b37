import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { eventually } from './support/eventually';
import { cleanUp, GatewayProcess, temporaryFolder } from './support/gateway-process';
import { ServerClient } from './support/server-client';

afterAll(cleanUp);

const MEGABYTE = 1_048_576;
const IMAGE = 200 * MEGABYTE;
/** What the process may take beyond what it had, whatever the size of the image. */
const BUDGET = 120 * MEGABYTE;
const DOWNLOADS = 50;

interface Made {
  readonly id: { readonly id: string };
}

async function asked<T = Made>(server: ServerClient, method: string, path: string, body?: unknown): Promise<T> {
  const { status, text } = await server.send(method, path, body);
  if (status !== 200) throw new Error(`${method} ${path}: ${status} ${text}`);
  return JSON.parse(text) as T;
}

async function newPackage(server: ServerClient, title: string): Promise<string> {
  const { id } = await asked(server, 'GET', '/api/deviceProfileInfo/default');
  const body = { deviceProfileId: id, type: 'FIRMWARE', title, version: '1.0' };
  return (await asked(server, 'POST', '/api/otaPackage', body)).id.id;
}

const curl = async (server: ServerClient, ...args: string[]): Promise<string> =>
  (await promisify(execFile)('curl', ['-sS', '-H', `X-Authorization: Bearer ${server.jwt}`, ...args])).stdout;

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

describe('An image of 200 MB', () => {
  const peakOf = ({ pid }: GatewayProcess) =>
    Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024;

  it('goes in and comes out, also fifty times at once, in a memory that does not know how large it is', async () => {
    const gateway = await GatewayProcess.start();
    const server = await ServerClient.login(gateway.http);
    const folder = temporaryFolder();
    const [image, back] = [join(folder, 'image.bin'), join(folder, 'back.bin')];
    const file = await open(image, 'w');
    // Every megabyte is another one.
    for (let n = 0; n < IMAGE / MEGABYTE; n++) await file.write(Buffer.alloc(MEGABYTE, `${n} `));
    await file.close();
    const id = await newPackage(server, 'image');
    const url = `http://127.0.0.1:${gateway.http}/api/otaPackage/${id}`;
    const checksum = await sha256(image);
    const before = peakOf(gateway);

    const uploaded = await curl(server, '-F', `file=@${image}`, `${url}?checksumAlgorithm=SHA256`);
    expect(JSON.parse(uploaded)).toMatchObject({ hasData: true, dataSize: IMAGE, checksum });
    await curl(server, '-o', back, `${url}/download`);
    expect(await sha256(back)).toBe(checksum);

    // Slow clients: each has read a piece, and the rest waits for it.
    const abort = new AbortController();
    await Promise.all(
      Array.from({ length: DOWNLOADS }, async () => {
        const headers = { 'X-Authorization': `Bearer ${server.jwt}` };
        const { body } = await fetch(`${url}/download`, { headers, signal: abort.signal });
        const piece = await body?.getReader().read();
        expect(piece?.done).toBe(false);
      }),
    );
    expect(peakOf(gateway) - before).toBeLessThan(BUDGET);
    abort.abort();
    await gateway.stop();
  });
});

describe('A rollout that is cut off by kill -9', () => {
  it('goes on where it was, and tells each device once', async () => {
    const settings = { TANDEM_FIRMWARE_ROLLOUT_STEP: '4', TANDEM_FIRMWARE_ROLLOUT_PAUSE: '30' };
    const gateway = await GatewayProcess.start(settings);
    let server = await ServerClient.login(gateway.http);
    const names = Array.from({ length: 200 }, (_, n) => ({ name: `device ${n}` }));
    const ids = await Promise.all(names.map(async (body) => (await asked(server, 'POST', '/api/device', body)).id.id));
    const id = await newPackage(server, 'rolled out');
    const url = `http://127.0.0.1:${gateway.http}/api/otaPackage/${id}?checksumAlgorithm=MD5`;
    expect(JSON.parse(await curl(server, '-F', `file=@${__filename}`, url))).toMatchObject({ hasData: true });

    const profileId = (await asked(server, 'GET', '/api/deviceProfileInfo/default')).id.id;
    const profile = await asked<object>(server, 'GET', `/api/deviceProfile/${profileId}`);
    await asked(server, 'POST', '/api/deviceProfile', { ...profile, firmwareId: { entityType: 'OTA_PACKAGE', id } });
    await eventually(async () =>
      (await gateway.metric('tandem_firmware_devices_told_total')) > 20 ? undefined : 'few',
    );
    gateway.kill('SIGKILL');
    await gateway.exit;

    const again = await gateway.again({ ...settings, TANDEM_FIRMWARE_ROLLOUT_PAUSE: '0' });
    server = await ServerClient.login(again.http);
    // The last step before the kill may have been made and not counted.
    const { devices } = await again.logged('rollout is finished');
    expect(Number(devices)).toBeGreaterThan(ids.length - 5);
    const told = await again.metric('tandem_firmware_devices_told_total');
    expect(told).toBeGreaterThan(50);
    expect(told).toBeLessThan(ids.length - 20 + 4);
    for (const device of ids) {
      expect(await server.attributes(device, 'SHARED_SCOPE')).toMatchObject({ fw_title: 'rolled out' });
    }
    for (const device of ids.slice(0, 20)) {
      const states = (await server.history(device, 'fw_state')).map(({ value }) => value);
      expect(states).toEqual(['QUEUED', 'INITIATED']);
    }
    await again.stop();
  });
});
