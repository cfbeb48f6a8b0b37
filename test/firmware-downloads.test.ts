import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type RedisServer, startRedis } from '../packages/state-redis/src/testing/redis-server';
import { cleanUp, type Environment, GatewayProcess, temporaryFolder } from './support/gateway-process';
import { ServerClient } from './support/server-client';

const MEGABYTE = 1_048_576;
/** As a whole in memory fifty of them would be 200 MB. */
const IMAGE = randomBytes(4 * MEGABYTE);
const DEVICES = 50;
/** What the process may take for them beyond what it had; measured: ADR 27. */
const BUDGET = 120 * MEGABYTE;

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await cleanUp();
  await redis.stop();
});

const run = promisify(execFile);
const token = (n: number): string => `token-of-download-${n}`;

/** Devices whose profile has the image as its firmware. */
async function prepare(gateway: GatewayProcess, image: string): Promise<void> {
  const server = await ServerClient.login(gateway.http);
  const asked = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const { status, text } = await server.send(method, path, body);
    if (status !== 200) throw new Error(`${method} ${path}: ${status} ${text}`);
    return JSON.parse(text) as T;
  };
  type Made = { readonly id: { readonly id: string } };
  const { id: deviceProfileId } = await asked<Made>('GET', '/api/deviceProfileInfo/default');
  const about = { deviceProfileId, type: 'FIRMWARE', title: 'FW', version: '1.0' };
  const { id: firmwareId } = await asked<Made>('POST', '/api/otaPackage', about);
  const url = `http://127.0.0.1:${gateway.http}/api/otaPackage/${firmwareId.id}?checksumAlgorithm=SHA256`;
  await run('curl', ['-sSf', '-H', `X-Authorization: Bearer ${server.jwt}`, '-F', `file=@${image}`, url]);
  const profile = await asked<object>('GET', `/api/deviceProfile/${deviceProfileId.id}`);
  await asked('POST', '/api/deviceProfile', { ...profile, firmwareId });
  for (let n = 0; n < DEVICES; n++) await asked('POST', `/api/device?accessToken=${token(n)}`, { name: token(n) });
}

const peakOf = ({ pid }: GatewayProcess) =>
  Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024;

/** A client that takes the head of its download and nothing more. @returns gives it up */
function stalled(port: number, n: number): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const path = `/api/v1/${token(n)}/firmware?title=FW&version=1.0`;
    const outgoing = request({ host: '127.0.0.1', port, path, agent: false }, (incoming) => {
      incoming.on('error', () => {});
      resolve(() => outgoing.destroy());
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

describe.each([['embedded'], ['redis']])('An image on the %s store', (store) => {
  it('goes to fifty devices at once in little memory, and over CoAP on after kill -9 at any block', async () => {
    const settings: Environment = store === 'redis' ? { REDIS_URL: redis.url } : {};
    const folder = temporaryFolder();
    const [image, back] = [join(folder, 'image.bin'), join(folder, 'back.bin')];
    await writeFile(image, IMAGE);
    const gateway = await GatewayProcess.start(settings);
    await prepare(gateway, image);
    const before = peakOf(gateway);

    const giveUp = await Promise.all(Array.from({ length: DEVICES }, (_, n) => stalled(gateway.http, n)));
    expect(await gateway.metric('tandem_firmware_downloads')).toBe(DEVICES);
    for (const give of giveUp) give();
    const url = (n: number) => `http://127.0.0.1:${gateway.http}/api/v1/${token(n)}/firmware?title=FW&version=1.0`;
    await Promise.all(
      Array.from({ length: DEVICES }, (_, n) => run('curl', ['-sSf', '-o', n === 0 ? back : '/dev/null', url(n)])),
    );
    expect((await readFile(back)).equals(IMAGE)).toBe(true);
    expect(peakOf(gateway) - before).toBeLessThan(BUDGET);
    await gateway.settled('tandem_firmware_downloads', 0);

    const blockOf = async ({ coap }: GatewayProcess, number: number): Promise<Buffer> => {
      const at = `coap://127.0.0.1:${coap}/fw/${token(1)}`;
      await run('coap-client-notls', ['-B', '10', '-b', `${number},1024`, '-o', back, at]);
      return readFile(back);
    };
    const bytes = (number: number) => IMAGE.subarray(number * 1_024, (number + 1) * 1_024);
    expect((await blockOf(gateway, 2_000)).equals(bytes(2_000))).toBe(true);
    gateway.kill('SIGKILL');
    await gateway.exit;
    const again = await gateway.again(settings);
    for (const number of [2_001, 4_095, 1]) {
      expect((await blockOf(again, number)).equals(bytes(number))).toBe(true);
    }
    await again.stop();
  });
});
