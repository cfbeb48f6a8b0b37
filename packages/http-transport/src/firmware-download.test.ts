import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type OtaPackage, type State, TandemError } from '@tandem/core';
import { FirmwareUnderTest } from '@tandem/core/testing';
import { type TestDevice, TestGateway, until } from './testing/test-gateway';

const IMAGE = randomBytes(2_500);
/** More than connections hold. */
const LARGE = randomBytes(30_000_000);

/** What the store does with a read instead of giving the bytes. */
let fault: ((offset: number) => Promise<void>) | undefined;
const over = (state: State): State => ({
  ...state,
  firmware: new Proxy(state.firmware, {
    get(target, name) {
      const own = target[name as keyof typeof target];
      if (name !== 'read') return own.bind(target);
      return async (dataId: string, offset: number, length: number) => {
        await fault?.(offset);
        return target.read(dataId, offset, length);
      };
    },
  }),
});

let gateway: TestGateway;
let firmware: FirmwareUnderTest;
let device: TestDevice;
let large: TestDevice;
let image: OtaPackage;
let folder: string;
beforeAll(async () => {
  gateway = await TestGateway.start({
    over,
    settings: { TANDEM_FIRMWARE_MAX_DOWNLOADS: '10', TANDEM_FIRMWARE_DOWNLOAD_IDLE: '400' },
  });
  firmware = new FirmwareUnderTest(gateway);
  image = await firmware.package({ title: 'FW', version: '1.0' }, IMAGE);
  device = await deviceWith(image);
  large = await deviceWith(await firmware.package({ title: 'L', version: '1' }, LARGE));
  folder = await mkdtemp(join(tmpdir(), 'tandem-download-'));
});
afterAll(async () => {
  await gateway.stop();
  await rm(folder, { recursive: true });
});
afterEach(() => {
  fault = undefined;
});

async function deviceWith({ id }: Pick<OtaPackage, 'id'>): Promise<TestDevice> {
  const made = await gateway.device();
  await firmware.assignToDevice(made.id, { firmwareId: id });
  return made;
}

const urlOf = ({ token }: TestDevice, query = 'title=FW&version=1.0', type = 'firmware') =>
  `http://127.0.0.1:${gateway.port}/api/v1/${token}/${type}?${query}`;

async function fetched(url: string, headers: Record<string, string> = {}, method = 'GET') {
  const response = await fetch(url, { headers, method });
  return {
    status: response.status,
    header: (name: string) => response.headers.get(name),
    body: Buffer.from(await response.arrayBuffer()),
  };
}
const downloads = () => gateway.gauge('tandem_firmware_downloads');
const LARGE_QUERY = 'title=L&version=1';

/** A download whose client reads its head and then nothing more. */
async function stalled(of: TestDevice): Promise<{ destroy(): void }> {
  const outgoing = httpRequest(urlOf(of, LARGE_QUERY), { agent: false });
  outgoing.on('error', () => {});
  return new Promise((resolve) => {
    outgoing.on('response', (incoming) => {
      incoming.pause();
      incoming.on('error', () => {});
      resolve({ destroy: () => outgoing.destroy() });
    });
    outgoing.end();
  });
}

describe('A download', () => {
  it('TV-339: is the file, with its name, its type and its length', async () => {
    const { status, header, body } = await fetched(urlOf(device));
    expect(status).toBe(200);
    expect(header('content-disposition')).toBe('attachment;filename=fw.bin');
    expect(header('x-filename')).toBe('fw.bin');
    expect(header('content-type')).toBe('application/octet-stream');
    expect(header('content-length')).toBe('2500');
    expect(header('accept-ranges')).toBe('bytes');
    expect(header('etag')).toBe(`"${image.dataId}"`);
    expect(body.equals(IMAGE)).toBe(true);
  });

  it.each([
    ['TV-340', 'size=1000&chunk=0', 0, 1000],
    ['TV-340', 'size=1000&chunk=1', 1000, 2000],
    ['TV-341', 'size=1000&chunk=2', 2000, 2500],
    ['TV-342', 'size=1000&chunk=3', 2500, 2500],
    ['TV-342', 'size=2147483647&chunk=2147483647', 2500, 2500],
    ['TV-343', 'size=0&chunk=5', 0, 2500],
    ['TV-343', 'size=-1&chunk=-5', 0, 2500],
    ['TV-344', 'size=5000&chunk=0', 0, 2500],
    ['empty numbers', 'size=&chunk=', 0, 2500],
  ])('%s: of %s is the bytes from %i to %i', async (_, query, start, end) => {
    const { status, header, body } = await fetched(urlOf(device, `title=FW&version=1.0&${query}`));
    expect([status, header('content-length')]).toEqual([200, String(end - start)]);
    expect(body.equals(IMAGE.subarray(start, end))).toBe(true);
  });

  it.each([
    ['TV-345', 'title=FW&version=1.0&size=x'],
    ['TV-345', 'title=FW&version=1.0&size=2147483648'],
    ['TV-345', 'title=FW&version=1.0&chunk=1.5'],
    ['TV-346', 'title=FW&version=1.0&size=1000&chunk=-1'],
    ['TV-347', 'title=FW'],
    ['TV-347', 'version=1.0'],
    ['TV-347', ''],
  ])('%s: of %s is refused with the error JSON, whoever asks', async (_, query) => {
    for (const token of [device.token, 'nope']) {
      const { status, body } = await fetched(urlOf({ ...device, token }, query));
      expect(status).toBe(400);
      expect(JSON.parse(body.toString())).toMatchObject({ status: 400, errorCode: 31 });
    }
  });

  it.each([
    ['TV-348', 'firmware', 'title=FW&version=2.0', 400],
    ['TV-349', 'firmware', 'title=fw&version=1.0', 400],
    ['TV-350', 'software', 'title=FW&version=1.0', 404],
  ])('%s: of %s?%s is %i, without a body', async (_, type, query, expected) => {
    const { status, body, header } = await fetched(urlOf(device, query, type));
    expect([status, body.length, header('content-length')]).toEqual([expected, 0, '0']);
  });

  it('TV-351, TV-352: of a package behind a URL is 404, with an unknown token 401', async () => {
    const url = await deviceWith(await firmware.package({ title: 'FW', version: 'url', url: 'https://x' }));
    expect(await fetched(urlOf(url))).toMatchObject({ status: 404, body: Buffer.alloc(0) });
    expect(await fetched(urlOf({ ...device, token: 'nope' }))).toMatchObject({ status: 401, body: Buffer.alloc(0) });
  });

  it('is there for software in the same way, and with the token in a header', async () => {
    const ota = await firmware.package({ type: 'SOFTWARE', title: 'SW', version: '3' }, 'soft');
    await firmware.assignToDevice(device.id, { softwareId: ota.id, firmwareId: image.id });
    expect((await fetched(urlOf(device, 'title=SW&version=3', 'software'))).body.toString()).toBe('soft');
    const headers = { Authorization: `Bearer ${device.token}` };
    const { body } = await gateway
      .send('GET', '/firmware?title=FW&version=1.0', { headers })
      .then(({ status, headers: got }) => ({ body: [status, got['content-length']] }));
    expect(body).toEqual([200, '2500']);
  });

  it('is announced by HEAD without reading a byte', async () => {
    fault = () => Promise.reject(new Error('read'));
    const { status, header, body } = await fetched(urlOf(device), { Range: 'bytes=5-' }, 'HEAD');
    expect([status, header('content-length'), body.length]).toEqual([200, '2500', 0]);
    expect((await fetched(urlOf(device, 'title=FW&version=2'), {}, 'HEAD')).status).toBe(400);
    expect((await fetched(urlOf(device), {}, 'POST')).header('allow')).toBe('GET, HEAD');
  });

  it('gives a part of the part that size and chunk name', async () => {
    const { status, header, body } = await fetched(urlOf(device, 'title=FW&version=1.0&size=1000&chunk=1'), {
      Range: 'bytes=900-',
    });
    expect([status, header('content-range')]).toEqual([206, 'bytes 900-999/1000']);
    expect(body.equals(IMAGE.subarray(1900, 2000))).toBe(true);
  });

  it.each(['bytes=0-1,5-6', 'bytes=5-4', 'lines=1-2', 'bytes=x'])('gives all of it for %s', async (range) => {
    expect(await fetched(urlOf(device), { Range: range })).toMatchObject({ status: 200, body: IMAGE });
  });

  it('refuses a range behind the end, and says where the end is', async () => {
    const { status, header, body } = await fetched(urlOf(device), { Range: 'bytes=2500-' });
    expect([status, header('content-range'), body.length]).toEqual([416, 'bytes */2500', 0]);
  });

  it('is not repeated for who has it, and goes on only for who has a part of the same', async () => {
    const etag = `"${image.dataId}"`;
    const { status, body, header } = await fetched(urlOf(device), { 'If-None-Match': `"other", ${etag}` });
    expect([status, body.length, header('etag')]).toEqual([304, 0, etag]);
    const range = { Range: 'bytes=2000-' };
    expect((await fetched(urlOf(device), { ...range, 'If-Range': etag })).status).toBe(206);
    expect((await fetched(urlOf(device), { ...range, 'If-Range': '"other"' })).status).toBe(200);
    expect((await fetched(urlOf(device), { ...range, 'If-Range': `W/${etag}` })).status).toBe(200);
  });

  it('is refused where another image is meant', async () => {
    for (const method of ['GET', 'HEAD']) {
      const headers = { 'If-Match': '"other"', Range: 'bytes=5-' };
      const { status, body, header } = await fetched(urlOf(device), headers, method);
      expect([status, body.length, header('etag')]).toEqual([412, 0, `"${image.dataId}"`]);
    }
    const same = { 'If-Match': `"other", "${image.dataId}"`, Range: 'bytes=2400-' };
    expect(await fetched(urlOf(device), same)).toMatchObject({ status: 206, body: IMAGE.subarray(2400) });
  });

  it.each([
    ['a name.bin', 'text/plain;charset=UTF-8', `attachment;filename="a name.bin";filename*=UTF-8''a%20name.bin`],
    ['ü"\r\nX: y', 'nonsense', `attachment;filename="____X: y";filename*=UTF-8''%C3%BC%22%0D%0AX%3A%20y`],
  ])('of a file named %j puts nothing into its headers but a name and a type', async (name, type, disposition) => {
    const made = await firmware.package({ title: name, version: '1', url: '' });
    const at = await deviceWith(await firmware.withData(made, 'x', name, type));
    const { status, header } = await fetched(urlOf(at, new URLSearchParams({ title: name, version: '1' }).toString()));
    expect([status, header('content-disposition'), header('x')]).toEqual([200, disposition, null]);
    expect(header('content-type')).toBe(type === 'nonsense' ? 'application/octet-stream' : type);
  });
});

describe('Another package in the middle of a download', () => {
  it('is never mixed with the first one', async () => {
    const [first, second] = [randomBytes(5_000), randomBytes(5_000)];
    const one = await firmware.package({ title: 'M', version: '1' }, first);
    const two = await firmware.package({ title: 'M', version: '2' }, second);
    const at = await deviceWith(one);
    const begun = await fetched(urlOf(at, 'title=M&version=1'), { Range: 'bytes=0-999' });
    await firmware.assignToDevice(at.id, { firmwareId: two.id });
    expect((await fetched(urlOf(at, 'title=M&version=1'), { Range: 'bytes=1000-' })).status).toBe(400);
    const headers = { Range: 'bytes=1000-', 'If-Range': begun.header('etag') ?? '' };
    expect(await fetched(urlOf(at, 'title=M&version=2'), headers)).toMatchObject({ status: 200, body: second });
  });
});

describe('A download by curl', () => {
  const curl = async (...args: string[]) => (await promisify(execFile)('curl', ['-sS', ...args])).stdout;

  it('goes on where it was cut off, and is not repeated when it is complete', async () => {
    const [file, tag] = [join(folder, 'fw.bin'), join(folder, 'etag')];
    await writeFile(file, LARGE.subarray(0, 12_345_678));
    const size = await curl('-C', '-', '-o', file, '-w', '%{size_download}', urlOf(large, LARGE_QUERY));
    expect(Number(size)).toBe(LARGE.length - 12_345_678);
    expect((await readFile(file)).equals(LARGE)).toBe(true);
    expect(await curl('-C', '-', '-o', file, '-w', '%{http_code}', urlOf(large, LARGE_QUERY))).toBe('416');
    expect((await readFile(file)).equals(LARGE)).toBe(true);

    await curl('--etag-save', tag, '-o', file, urlOf(device));
    expect(await curl('--etag-compare', tag, '-o', file, '-w', '%{http_code}', urlOf(device))).toBe('304');
  });

  it('goes on with If-Range only in the image it has begun, also when the other has its title and version', async () => {
    const [file, tag] = [join(folder, 'again.bin'), join(folder, 'again.etag')];
    const [first, second] = [randomBytes(9_000), randomBytes(9_000)];
    const begun = await firmware.package({ title: 'again', version: '1' }, first);
    const at = await deviceWith(begun);
    const url = urlOf(at, 'title=again&version=1');
    await curl('-f', '--etag-save', tag, '-o', file, url);
    const onward = ['-f', '-C', '-', '-H', `If-Range: ${(await readFile(tag, 'utf8')).trim()}`, '-o', file, url];
    await writeFile(file, first.subarray(0, 5_000));
    await curl(...onward);
    expect((await readFile(file)).equals(first)).toBe(true);

    await firmware.assignToDevice(at.id, {});
    await gateway.core.firmware.packages.delete(gateway.tenantId, begun.id);
    const { id: firmwareId } = await firmware.package({ title: 'again', version: '1' }, second);
    await firmware.assignToDevice(at.id, { firmwareId });
    await writeFile(file, first.subarray(0, 5_000));
    await expect(curl(...onward)).rejects.toMatchObject({ code: 33 });
    expect((await readFile(file)).equals(first.subarray(0, 5_000))).toBe(true);
    await curl('-f', '-o', file, url);
    expect((await readFile(file)).equals(second)).toBe(true);
  });

  it('gets the name of the file', async () => {
    const empty = await mkdtemp(join(folder, 'named-'));
    await curl('-OJ', '--output-dir', empty, urlOf(device));
    expect((await readFile(join(empty, 'fw.bin'))).equals(IMAGE)).toBe(true);
  });
});

describe('A client that', () => {
  it('stands still is let go, and all that was held for it', async () => {
    const { destroy } = await stalled(large);
    await until(() => downloads() === 1);
    await until(() => downloads() === 0);
    destroy();
  });

  it('goes away leaves nothing', async () => {
    const { destroy } = await stalled(large);
    await until(() => downloads() === 1);
    destroy();
    await until(() => downloads() === 0);
  });

  it('goes away while its download waits behind another on the same connection leaves nothing', async () => {
    const socket = gateway.connect();
    socket.on('error', () => {});
    const head = `GET ${new URL(urlOf(large, LARGE_QUERY)).pathname}?${LARGE_QUERY} HTTP/1.1\r\nHost: x\r\n\r\n`;
    socket.write(head + head);
    await until(() => downloads() === 2);
    socket.destroy();
    await until(() => downloads() === 0);
  });

  it('goes away while the store is read leaves nothing', async () => {
    const outgoing = httpRequest(urlOf(large, LARGE_QUERY), { agent: false });
    outgoing.on('error', () => {});
    const gone = new Promise<void>((resolve) => {
      gateway.server.once('connection', (socket) => socket.once('close', () => resolve()));
    });
    let held = false;
    fault = async (offset) => {
      if (offset < 100_000 || held) return;
      held = true;
      outgoing.destroy();
      await gone;
      await new Promise(setImmediate);
    };
    outgoing.on('response', (incoming) => incoming.on('error', () => {}).resume());
    outgoing.end();
    await gone;
    await until(() => held && downloads() === 0);
    expect(gateway.log.join()).not.toContain('a download was broken off');
  });

  it('is one too many is told when to come again', async () => {
    const clients = await Promise.all(Array.from({ length: 8 }, () => stalled(large)));
    const answer = await fetched(urlOf(large, LARGE_QUERY));
    expect(answer.status).toBe(429);
    expect(Number(answer.header('retry-after'))).toBeGreaterThanOrEqual(5);
    // Other devices have their share, up to what there is in all.
    expect((await fetched(urlOf(device))).status).toBe(200);
    for (const client of clients) client.destroy();
    await until(() => downloads() === 0);
  });
});

describe('A store that fails', () => {
  const unavailable = () => Promise.reject(new TandemError('STORE_UNAVAILABLE'));

  it('before the first byte is 503', async () => {
    fault = unavailable;
    const { status, header } = await fetched(urlOf(device));
    expect([status, header('retry-after')]).toEqual([503, '1']);
    expect(downloads()).toBe(0);
  });

  it('in the middle cuts the connection, so that the client notices', async () => {
    fault = (offset) => (offset > 1_000_000 ? unavailable() : Promise.resolve());
    await expect(fetched(urlOf(large, LARGE_QUERY))).rejects.toThrow();
    await until(() => downloads() === 0);
    expect(gateway.log.join()).toContain('a download was broken off');
  });

  it('in the middle by a fault of the gateway says in the log which one', async () => {
    fault = (offset) => (offset > 1_000_000 ? Promise.reject(new Error('disk on fire')) : Promise.resolve());
    await expect(fetched(urlOf(large, LARGE_QUERY))).rejects.toThrow();
    await until(() => downloads() === 0);
    expect(gateway.log.join()).toMatch(
      /a download was broken off .*"correlationId":"[0-9a-f]{12}","error":"Error: disk on fire/,
    );
  });
});
