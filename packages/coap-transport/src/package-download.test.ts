import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type OtaPackage, type State, TandemError } from '@tandem/core';
import { FirmwareUnderTest } from '@tandem/core/testing';
import { parse } from 'coap-packet';
import type { RawClient, RawRequest, Received } from './testing/raw-client';
import { type TestDevice, TestGateway } from './testing/test-gateway';

const IMAGE = randomBytes(2_500);
const LARGE = randomBytes(300_000);
/** More than 2^20 blocks of 16 bytes, and as good as no bytes at all. */
const HUGE = 17_000_000;

/** Every read of the store: `offset+length`. */
const reads: string[] = [];
let devicesRead = 0;
let fault: (() => Promise<void>) | undefined;

function over(state: State): State {
  const replaced = <T extends object>(part: T, name: keyof T, by: (...args: never[]) => unknown): T =>
    new Proxy(part, {
      get(target, asked) {
        const own = asked === name ? by : target[asked as keyof T];
        return typeof own === 'function' ? own.bind(target) : own;
      },
    });
  const read = async (dataId: string, offset: number, length: number) => {
    reads.push(`${offset}+${length}`);
    await fault?.();
    return state.firmware.read(dataId, offset, length);
  };
  const getDevice = (id: string) => {
    devicesRead++;
    return state.devices.getDevice(id);
  };
  return {
    ...state,
    firmware: replaced(state.firmware, 'read', read),
    devices: replaced(state.devices, 'getDevice', getDevice),
  };
}

let gateway: TestGateway;
let firmware: FirmwareUnderTest;
let device: TestDevice;
let client: RawClient;
let image: OtaPackage;
beforeAll(async () => {
  gateway = await TestGateway.start({ over });
  firmware = new FirmwareUnderTest(gateway);
  image = await firmware.package({ title: 'FW', version: '1.0' }, IMAGE);
  device = await deviceWith(image);
});
afterAll(() => gateway.stop());
beforeEach(async () => {
  client = await gateway.client();
  reads.length = 0;
  devicesRead = 0;
  fault = undefined;
});

async function deviceWith({ id }: Pick<OtaPackage, 'id'>): Promise<TestDevice> {
  const made = await gateway.device();
  await firmware.assignToDevice(made.id, { firmwareId: id });
  return made;
}

/** `number/size`, as the RFC writes it but for the flag. */
const block = (number: number, size: number): number => (number << 4) | Math.log2(size / 16);
const path = () => `fw/${device.token}`;
const ask = (request: Partial<RawRequest> = {}) => client.ask({ path: path(), ...request });

/** `'2.05 2:0/1/1024 size 2500 [1024]'` */
function said({ kind, block2, size2, payload }: Received): string {
  const option = block2 === undefined ? '' : ` 2:${block2 >> 4}/${(block2 >> 3) & 1}/${16 << (block2 & 7)}`;
  return `${kind.slice(4)}${option}${size2 === undefined ? '' : ` size ${size2}`} [${payload.length}]`;
}

/** The whole, block by block, as a client does it. */
async function whole(size: number, request: Partial<RawRequest> = {}): Promise<{ body: Buffer; blocks: Received[] }> {
  const blocks: Received[] = [];
  for (let number = 0, more = true; more; number++) {
    const answer = await ask({ ...request, block2: block(number, size) });
    expect(answer.kind).toBe('ACK 2.05');
    blocks.push(answer);
    more = ((answer.block2 ?? 0) & 8) !== 0;
  }
  return { body: Buffer.concat(blocks.map(({ payload }) => payload)), blocks };
}

describe('A package', () => {
  it('TV-355: comes in blocks, of which each is one read of the store', async () => {
    expect(said(await ask())).toBe('2.05 2:0/1/1024 size 2500 [1024]');
    expect(said(await ask({ block2: block(1, 1024) }))).toBe('2.05 2:1/1/1024 [1024]');
    const last = await ask({ block2: block(2, 1024) });
    expect(said(last)).toBe('2.05 2:2/0/1024 [452]');
    expect(last.format).toBe(42);
    expect(last.payload.equals(IMAGE.subarray(2048))).toBe(true);
    expect(reads).toEqual(['0+1024', '1024+1024', '2048+452']);
    expect(devicesRead).toBeLessThan(2);
  });

  it.each([16, 32, 64, 128, 256, 512, 1024])(
    'TV-366: comes in blocks of %i bytes where they are asked for',
    async (size) => {
      const { body, blocks } = await whole(size);
      expect(body.equals(IMAGE)).toBe(true);
      expect(blocks).toHaveLength(Math.ceil(2500 / size));
      expect(new Set(blocks.map(({ etag }) => etag)).size).toBe(1);
      expect(blocks[0]?.etag).toMatch(/^[0-9a-f]{16}$/);
      expect(blocks.map(({ size2 }) => size2).filter((length) => length !== undefined)).toEqual([2500]);
    },
  );

  it('TV-367: is there at any block, from any port, and nothing is kept of it', async () => {
    for (const number of [2, 0, 1, 2]) {
      const other = await gateway.client();
      const { payload } = await other.ask({ path: path(), block2: block(number, 1024) });
      expect(payload.equals(IMAGE.subarray(number * 1024, (number + 1) * 1024))).toBe(true);
    }
    expect(gateway.gauge('tandem_coap_download_bytes')).toBe(0);
  });

  it.each([
    ['TV-356', ['title=FW', 'version=1.0', 'size=1000', 'chunk=1'], '2.05 [1000]', 1000],
    ['TV-356', ['size=1000', 'chunk=2'], '2.05 [500]', 2000],
    ['TV-365', ['size=1000', 'chunk=9'], '2.05 [0]', 2500],
    ['TV-357', ['title=XX'], '4.00 [0]', 0],
    ['title= of nothing', ['title='], '4.00 [0]', 0],
    ['version alone', ['version=2'], '4.00 [0]', 0],
    ['TV-364', ['size=x'], '4.00 [0]', 0],
    ['TV-364', ['chunk=1.0'], '4.00 [0]', 0],
    ['a chunk before the first', ['size=10', 'chunk=-1'], '4.00 [0]', 0],
    ['no size', ['size=', 'chunk=3'], '2.05 2:0/1/1024 size 2500 [1024]', 0],
  ])('%s: of %j is %s', async (_, query, expected, start) => {
    const answer = await ask({ query });
    expect(said(answer)).toBe(expected);
    expect(answer.payload.equals(IMAGE.subarray(start, start + answer.payload.length))).toBe(true);
  });

  it('is cut by size and chunk first, and what is left by blocks', async () => {
    const { body, blocks } = await whole(256, { query: ['size=1000', 'chunk=1'] });
    expect(body.equals(IMAGE.subarray(1000, 2000))).toBe(true);
    expect(blocks).toHaveLength(4);
    expect(said(await ask({ query: ['size=1000', 'chunk=1'], block2: block(4, 256) }))).toBe('4.00 [0]');
    expect(said(await ask({ query: ['size=1000', 'chunk=3'], block2: block(1, 256) }))).toBe('4.00 [0]');
  });

  it('says how long it is where that is asked for', async () => {
    expect(said(await ask({ block2: block(1, 1024), size2: 0 }))).toBe('2.05 2:1/1/1024 size 2500 [1024]');
    expect(said(await ask({ query: ['size=10'], size2: 0 }))).toBe('2.05 size 10 [10]');
  });

  it('TV-358 to TV-361, TV-363: is there at its own paths, for its own device', async () => {
    const url = await deviceWith(await firmware.package({ title: 'FW', version: 'url', url: 'https://x' }));
    const { token } = device;
    for (const [asked, code, method] of [
      [`sw/${token}`, '4.04', 'GET'],
      [`fw/${url.token}`, '4.04', 'GET'],
      ['fw/nope', '4.01', 'GET'],
      ['fw', '4.01', 'GET'],
      [`fw/${token}/x`, '4.01', 'GET'],
      [`fw/${token}`, '4.05', 'POST'],
      [`sw/${token}`, '4.05', 'PUT'],
      ['fw', '4.05', 'POST'],
      [`api/v1/${token}/firmware`, '4.05', 'POST'],
      ['api/v1/firmware', '4.01', 'GET'],
      [`FW/${token}`, '4.04', 'GET'],
    ]) {
      const { kind, text } = await client.ask({ path: asked ?? '', method });
      expect([asked, method, kind.slice(4), text]).toEqual([asked, method, code, '']);
    }
  });

  it('TV-362: is the same at the path of the documentation, whatever its letter case', async () => {
    for (const asked of ['firmware', 'Firmware']) {
      const request = { path: `api/v1/${device.token}/${asked}`, query: ['title=FW', 'version=1.0'] };
      expect((await whole(1024, request)).body.equals(IMAGE)).toBe(true);
    }
    const ota = await firmware.package({ type: 'SOFTWARE', title: 'SW' }, 'soft');
    await firmware.assignToDevice(device.id, { softwareId: ota.id, firmwareId: image.id });
    for (const asked of [`sw/${device.token}`, `api/v1/${device.token}/software`]) {
      expect((await client.ask({ path: asked })).text).toBe('soft');
    }
  });

  it('is not observed', async () => {
    const answer = await ask({ observe: 0 });
    expect([said(answer), answer.observe]).toEqual(['2.05 2:0/1/1024 size 2500 [1024]', undefined]);
    expect(said(await ask({ observe: 1 }))).toBe('2.05 2:0/1/1024 size 2500 [1024]');
    expect(gateway.observations).toBe(0);
  });

  it('is not sent again to who has it', async () => {
    const etag = Buffer.from((await ask()).etag ?? '', 'hex');
    const valid = await ask({ etags: [Buffer.from('other'), etag] });
    expect([said(valid), valid.etag, valid.format]).toEqual(['2.03 [0]', etag.toString('hex'), undefined]);
    expect(said(await ask({ etags: [Buffer.from('other')] }))).toBe('2.05 2:0/1/1024 size 2500 [1024]');
    expect(said(await ask({ etags: [etag], block2: block(1, 1024) }))).toBe('2.05 2:1/1/1024 [1024]');
  });

  it.each([
    [7, '2.03 [0]'],
    [8, '2.05 2:0/1/1024 size 2500 [1024]'],
    [300, '2.05 2:0/1/1024 size 2500 [1024]'],
  ])('to who names it behind %i others is %s: the first eight tags are looked at', async (others, expected) => {
    const etag = Buffer.from((await ask()).etag ?? '', 'hex');
    const tags = Array.from({ length: others }, (_, n) => Buffer.from([n & 0xff, n >> 8]));
    expect(said(await ask({ etags: [...tags, etag] }))).toBe(expected);
  });

  it('that has too many blocks of a size is refused at the first one, with its length', async () => {
    device = await deviceWith(await firmware.package({ title: 'huge', version: '1' }, Buffer.alloc(HUGE, 7)));
    expect(said(await ask({ block2: block(0, 16) }))).toBe(`4.00 size ${HUGE} [0]`);
    expect(said(await ask({ block2: block(530_000, 32) }))).toBe('2.05 2:530000/1/32 [32]');
    expect(said(await ask({ block2: block(0xfffff, 16) }))).toMatch(/^4\.00/);
    expect(said(await ask({ block2: block(0, 16), query: ['size=1000000', 'chunk=16'] }))).toMatch(/^2\.05/);
    device = await deviceWith(image);
  });

  it('of a store that fails in the middle is 5.03, and goes on afterwards', async () => {
    fault = () => Promise.reject(new TandemError('STORE_UNAVAILABLE'));
    const { kind, maxAge } = await ask({ block2: block(1, 1024) });
    expect([kind, maxAge]).toEqual(['ACK 5.03', 5]);
    fault = undefined;
    expect(said(await ask({ block2: block(1, 1024) }))).toBe('2.05 2:1/1/1024 [1024]');
    expect(gateway.gauge('tandem_coap_running_exchanges')).toBe(0);
  });

  it('that a slow store gives comes as a separate response', async () => {
    fault = async () => {
      await client.next(({ kind }) => kind === 'ACK 0.00');
    };
    const { kind, payload } = await ask({ block2: block(2, 1024) });
    expect(kind).toBe('CON 2.05');
    expect(payload.equals(IMAGE.subarray(2048))).toBe(true);
  });
});

describe('What changes in the middle of a download', () => {
  it('is told by the ETag and refused where the title is named: two packages are never mixed', async () => {
    const [first, second] = [randomBytes(5_000), randomBytes(5_000)];
    const one = await firmware.package({ title: 'M', version: '1' }, first);
    const two = await firmware.package({ title: 'M', version: '2' }, second);
    device = await deviceWith(one);
    const before = await ask({ query: ['version=1'] });
    await firmware.assignToDevice(device.id, { firmwareId: two.id });
    expect(said(await ask({ query: ['version=1'], block2: block(1, 1024) }))).toBe('4.00 [0]');
    const after = await ask({ block2: block(1, 1024) });
    expect(after.etag).not.toBe(before.etag);
    expect(after.payload.equals(second.subarray(1024, 2048))).toBe(true);
    device = await deviceWith(image);
  });

  it('is heard of: another token, another package of the profile, a deleted device', async () => {
    device = await gateway.device();
    expect(said(await ask())).toBe('4.04 [0]');
    await firmware.assignToProfile({ firmwareId: image.id });
    expect(said(await ask({ block2: block(2, 1024) }))).toBe('2.05 2:2/0/1024 [452]');
    await firmware.assignToProfile({ firmwareId: null });
    expect(said(await ask({ block2: block(2, 1024) }))).toBe('4.04 [0]');
    await firmware.assignToDevice(device.id, { firmwareId: image.id });
    expect(said(await ask({ block2: block(2, 1024) }))).toBe('2.05 2:2/0/1024 [452]');
    await gateway.changeToken(device, 'another');
    expect(said(await ask({ block2: block(2, 1024) }))).toBe('4.01 [0]');
    device = { ...device, token: 'another' };
    expect(said(await ask({ block2: block(2, 1024) }))).toBe('2.05 2:2/0/1024 [452]');
    await gateway.remove(device);
    expect(said(await ask({ block2: block(2, 1024) }))).toBe('4.01 [0]');
    device = await deviceWith(image);
  });
});

it('An address that has not proved itself gets no package, but the means to prove it', async () => {
  const own = await TestGateway.start({ settings: { COAP_ECHO: 'on' } });
  try {
    const packages = new FirmwareUnderTest(own);
    await packages.assignToProfile({ firmwareId: (await packages.package({}, IMAGE)).id });
    const { token } = await own.device();
    const peer = await own.client();
    const refused = await peer.ask({ path: `fw/${token}`, block2: block(1, 1024) });
    expect([refused.kind, refused.text]).toEqual(['ACK 4.01', '']);
    const echo = parse(peer.datagrams.at(-1) ?? Buffer.alloc(0)).options.find(
      ({ name }) => String(name) === '252',
    )?.value;
    const given = await peer.ask({ path: `fw/${token}`, block2: block(1, 1024), echo });
    expect(given.payload.equals(IMAGE.subarray(1024, 2048))).toBe(true);
  } finally {
    await own.stop();
  }
});

describe('coap-client', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tandem-fw-'));
    device = await deviceWith(await firmware.package({ title: 'L', version: '1' }, LARGE));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const coapClient = async (asked: string, ...args: string[]): Promise<Buffer> => {
    const file = join(folder, 'fw.bin');
    const url = `coap://127.0.0.1:${gateway.transport.port}/${asked}`;
    const { stdout, stderr } = await promisify(execFile)('coap-client-notls', ['-B', '20', ...args, '-o', file, url]);
    expect(`${stdout}${stderr}`).toBe('');
    return readFile(file);
  };

  it.each([[[]], [['-b', '256']], [['-N']]])('gets a package %j', async (args) => {
    expect((await coapClient(path(), ...args)).equals(LARGE)).toBe(true);
  });

  it('gets a chunk of it at the path of the documentation', async () => {
    const got = await coapClient(`api/v1/${device.token}/firmware?title=L&version=1&size=100000&chunk=1`);
    expect(got.equals(LARGE.subarray(100_000, 200_000))).toBe(true);
  });

  it('gets any block by its number', async () => {
    const got = await coapClient(path(), '-b', '200,1024');
    expect(got.equals(LARGE.subarray(200 * 1024, 201 * 1024))).toBe(true);
  });
});
