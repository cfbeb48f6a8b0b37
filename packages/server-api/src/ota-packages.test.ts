import { execFile } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Answer, OTHER_ADMIN, ServerUnderTest } from './testing/server-under-test';

interface PackageJson {
  readonly id: { readonly entityType: string; readonly id: string };
  readonly checksum: string;
}

let server: ServerUnderTest;
let token: string;
let profileId: { entityType: string; id: string };
let made = 0;

beforeAll(async () => {
  server = await ServerUnderTest.start({
    HTTP_MAX_PAYLOAD_SIZE_LIMIT_CONFIGURATION: '/api/otaPackage/*=4000000;/api/**=100000',
    TANDEM_FIRMWARE_MAX_BYTES: '3000000',
  });
  token = (await server.login()).token;
  profileId = (await server.call('GET', '/api/deviceProfileInfo/default', { token })).json<PackageJson>().id;
});
afterAll(() => server.stop());

const save = (body: object): Promise<Answer> => server.call('POST', '/api/otaPackage', { token, body });
async function create(given: object = {}): Promise<string> {
  const body = { deviceProfileId: profileId, type: 'FIRMWARE', title: `FW ${++made}`, version: '1.0', ...given };
  const answer = await save(body);
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.json<PackageJson>().id.id;
}
/** As a browser does it. */
async function upload(id: string, bytes: Buffer, query = 'checksumAlgorithm=SHA256', name = 'fw.bin') {
  const form = new FormData();
  form.append('file', new Blob([new Uint8Array(bytes)], { type: 'application/octet-stream' }), name);
  const response = await fetch(`http://127.0.0.1:${server.port}/api/otaPackage/${id}?${query}`, {
    method: 'POST',
    headers: { 'X-Authorization': `Bearer ${token}` },
    body: form,
  });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}
async function uploaded(bytes: Buffer, given: object = {}): Promise<string> {
  const id = await create(given);
  const { status, json } = await upload(id, bytes);
  if (status !== 200) throw new Error(JSON.stringify(json));
  return id;
}
const info = (id: string) => server.call('GET', `/api/otaPackage/info/${id}`, { token });
const hasNoData = async (id: string) =>
  expect((await info(id)).json()).toMatchObject({ hasData: false, checksum: null, dataSize: null, fileName: null });
const download = (id: string, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${server.port}/api/otaPackage/${id}/download`, {
    headers: { 'X-Authorization': `Bearer ${token}`, ...headers },
  });
const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());

describe('A package', () => {
  it('is made with exactly the members that clients expect, and read again', async () => {
    const answer = await save({
      deviceProfileId: profileId,
      type: 'FIRMWARE',
      title: 'Thermostat',
      version: '1.0',
      tag: 'Thermostat 1.0',
      usesUrl: false,
      additionalInfo: { description: 'x', n: 42 },
    });
    expect(answer.status).toBe(200);
    const { id } = answer.json<PackageJson>();
    const expected = {
      id: { entityType: 'OTA_PACKAGE', id: id.id },
      createdTime: server.clock.now(),
      additionalInfo: { description: 'x', n: 42 },
      tenantId: { entityType: 'TENANT', id: expect.any(String) },
      deviceProfileId: profileId,
      type: 'FIRMWARE',
      title: 'Thermostat',
      version: '1.0',
      tag: 'Thermostat 1.0',
      url: null,
      hasData: false,
      fileName: null,
      contentType: null,
      checksumAlgorithm: null,
      checksum: null,
      dataSize: null,
    };
    expect(answer.json()).toEqual(expected);
    expect((await info(id.id)).json()).toEqual(expected);
    const whole = await server.call('GET', `/api/otaPackage/${id.id}`, { token });
    expect(whole.json()).toEqual({ ...expected, data: null });
  });

  it('keeps the numbers of its additionalInfo as they were written', async () => {
    const text = `{"type":"SOFTWARE","title":"numbers","version":"1","additionalInfo":{"n":42.0,"big":9007199254740993}}`;
    const answer = await server.call('POST', '/api/otaPackage', { token, body: text });
    expect(answer.text).toContain('"additionalInfo":{"n":42.0,"big":9007199254740993}');
  });

  it('may be elsewhere: then it has a URL and can be assigned at once', async () => {
    const body = { type: 'FIRMWARE', title: 'elsewhere', version: '1', usesUrl: true, url: 'https://example.org/fw' };
    const answer = await save({ ...body, deviceProfileId: profileId, dataSize: 10, checksumAlgorithm: 'MD5' });
    expect(answer.json()).toMatchObject({ url: 'https://example.org/fw', hasData: true, dataSize: 10 });
    const { id } = answer.json<PackageJson>().id;
    expect((await download(id)).status).toBe(400);
    expect((await upload(id, Buffer.from('x'))).json).toMatchObject({
      status: 400,
      message: "File can't be saved if URL present!",
    });
  });

  it.each<[string, object, string]>([
    ['without a title', { title: '' }, 'OtaPackage title should be specified!'],
    ['without a version', { version: null }, 'OtaPackage version should be specified!'],
    ['without a type', { type: undefined }, 'Type should be specified!'],
    [
      'of a profile that is not there',
      { deviceProfileId: { id: randomUUID() } },
      'OtaPackage is referencing to non-existent device profile!',
    ],
    ['that is elsewhere, nobody knows where', { usesUrl: true, url: ' ' }, 'Ota package URL should be specified!'],
    ['of a type that there is not', { type: 'HARDWARE' }, 'body.type must be one of FIRMWARE, SOFTWARE'],
    ['with a title that is too long', { title: 'x'.repeat(256) }, 'body.title must NOT have more than 255 characters'],
  ])('%s is refused', async (_, given, message) => {
    const body = { deviceProfileId: profileId, type: 'FIRMWARE', title: 'refused', version: '1', ...given };
    expect((await save(body)).json()).toMatchObject({ status: 400, errorCode: 31, message });
  });

  it('has a title and version that no other one of the tenant has', async () => {
    await create({ title: 'taken', version: '1' });
    const again = { deviceProfileId: profileId, type: 'SOFTWARE', title: 'taken', version: '1' };
    const message = 'OtaPackage with such title and version already exists!';
    expect((await save(again)).json()).toMatchObject({ status: 400, message });
    await create({ title: 'taken', version: '2' });
    const other = (await server.login(OTHER_ADMIN)).token;
    const body = { type: 'FIRMWARE', title: 'taken', version: '1' };
    expect((await server.call('POST', '/api/otaPackage', { token: other, body })).status).toBe(200);
  });

  it('keeps what it is: only its additionalInfo changes', async () => {
    const id = await create({ title: 'fixed', tag: 'tag' });
    const stored = (await info(id)).json();
    const changed = await save({ ...stored, additionalInfo: { note: 1 } });
    expect(changed.json()).toEqual({ ...stored, additionalInfo: { note: 1 } });
    for (const [given, message] of [
      [{ title: 'other' }, 'Updating otaPackage title is prohibited!'],
      [{ version: '2' }, 'Updating otaPackage version is prohibited!'],
      [{ type: 'SOFTWARE' }, 'Updating type is prohibited!'],
      [{ tag: 'other' }, 'Updating otaPackage tag is prohibited!'],
      [{ deviceProfileId: { id: randomUUID() } }, 'Updating otaPackage deviceProfile is prohibited!'],
    ] as const) {
      expect((await save({ ...stored, ...given })).json()).toMatchObject({ status: 400, message });
    }
    const absent = randomUUID();
    expect((await save({ ...stored, id: { id: absent } })).json()).toMatchObject({
      status: 404,
      message: `Ota package with id [${absent}] is not found`,
    });
  });

  it('is listed by page and text, and by profile and type when there is something to get', async () => {
    const second = await server.call('POST', '/api/deviceProfile', {
      token,
      body: {
        name: 'second',
        type: 'DEFAULT',
        transportType: 'DEFAULT',
        profileData: { configuration: { type: 'DEFAULT' }, transportConfiguration: { type: 'DEFAULT' } },
      },
    });
    const deviceProfileId = second.json<PackageJson>().id;
    const ready = await uploaded(Buffer.from('1'), { deviceProfileId, title: 'needle in hay' });
    await create({ deviceProfileId, title: 'without data' });
    await uploaded(Buffer.from('2'), { deviceProfileId, title: 'app', type: 'SOFTWARE' });
    const list = async (path: string) => (await server.call('GET', path, { token })).json<{ data: PackageJson[] }>();
    const found = await list('/api/otaPackages?pageSize=10&page=0&textSearch=NEEDLE');
    expect(found).toMatchObject({ totalElements: 1, totalPages: 1, hasNext: false, data: [{ id: { id: ready } }] });
    const ofProfile = await list(`/api/otaPackages/${deviceProfileId.id}/FIRMWARE?pageSize=10&page=0`);
    expect(ofProfile.data.map(({ id }) => id.id)).toEqual([ready]);
    expect(
      (await server.call('GET', `/api/otaPackages/${deviceProfileId.id}/firmware?pageSize=1&page=0`, { token })).status,
    ).toBe(400);
    expect((await server.call('GET', '/api/otaPackages', { token })).status).toBe(400);
  });

  it('is deleted with its bytes, but not while a device or a profile refers to it', async () => {
    const id = await uploaded(randomBytes(1_000));
    const firmwareId = { entityType: 'OTA_PACKAGE', id };
    const device = await server.call('POST', '/api/device', { token, body: { name: 'holder', firmwareId } });
    expect(device.json()).toMatchObject({ firmwareId });
    const remove = () => server.call('DELETE', `/api/otaPackage/${id}`, { token });
    expect((await remove()).json()).toMatchObject({ status: 400, errorCode: 31 });
    await server.call('DELETE', `/api/device/${device.json<PackageJson>().id.id}`, { token });
    expect(await remove()).toMatchObject({ status: 200, text: '' });
    expect((await remove()).status).toBe(404);
    expect((await download(id)).status).toBe(404);
  });
});

describe('The file of a package', () => {
  it('is taken from curl, and given back byte by byte', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tandem-upload-'));
    const bytes = randomBytes(2_500_000);
    await writeFile(join(folder, 'fw 1.0 ü.bin'), bytes);
    const id = await create();
    const url = `http://127.0.0.1:${server.port}/api/otaPackage/${id}`;
    const curl = (...args: string[]) =>
      promisify(execFile)('curl', ['-sS', '-H', `X-Authorization: Bearer ${token}`, ...args], {
        encoding: 'buffer',
        maxBuffer: 10_000_000,
      });
    const { stdout } = await curl('-F', `file=@${join(folder, 'fw 1.0 ü.bin')}`, `${url}?checksumAlgorithm=sha256`);
    const checksum = createHash('sha256').update(bytes).digest('hex');
    expect(JSON.parse(stdout.toString())).toMatchObject({
      hasData: true,
      fileName: 'fw 1.0 ü.bin',
      contentType: 'application/octet-stream',
      checksumAlgorithm: 'SHA256',
      checksum,
      dataSize: 2_500_000,
    });
    expect((await curl(`${url}/download`)).stdout.equals(bytes)).toBe(true);
    const disposition = (await download(id)).headers.get('content-disposition');
    expect(disposition).toBe(`attachment;filename="fw 1.0 _.bin";filename*=UTF-8''fw%201.0%20%C3%BC.bin`);
    const whole = await server.call('GET', `/api/otaPackage/${id}`, { token });
    expect(Buffer.from(whole.json<{ data: string }>().data, 'base64').equals(bytes)).toBe(true);
    await rm(folder, { recursive: true });
  });

  it.each([
    ['MD5', '827ccb0eea8a706c4c34a16891f84e7b'],
    ['CRC32', '1c3af5cb'],
    ['MURMUR3_32', undefined],
    ['MURMUR3_128', undefined],
  ])('gets its checksum by %s', async (algorithm, checksum) => {
    const { status, json } = await upload(await create(), Buffer.from('12345'), `checksumAlgorithm=${algorithm}`);
    expect(status).toBe(200);
    expect(json).toMatchObject({
      checksumAlgorithm: algorithm,
      checksum: checksum ?? expect.stringMatching(/^[0-9a-f]+$/),
    });
  });

  it('is refused and leaves nothing when it has another checksum than was given', async () => {
    const id = await create();
    const { json } = await upload(id, Buffer.from('12345'), 'checksumAlgorithm=MD5&checksum=00');
    expect(json).toMatchObject({ status: 400, errorCode: 31, message: 'Wrong otaPackage file!' });
    await hasNoData(id);
    const given = 'checksumAlgorithm=MD5&checksum=827CCB0EEA8A706C4C34A16891F84E7B';
    expect((await upload(id, Buffer.from('12345'), given)).status).toBe(200);
  });

  it('is never replaced', async () => {
    const id = await uploaded(Buffer.from('first'));
    expect((await upload(id, Buffer.from('second'))).json).toMatchObject({
      status: 400,
      message: 'Updating otaPackage data is prohibited!',
    });
    expect((await bytesOf(await download(id))).toString()).toBe('first');
  });

  it.each<[string, string, number, string]>([
    ['without an algorithm', '', 400, "Required request parameter 'checksumAlgorithm' is not present"],
    ['with an unknown algorithm', 'checksumAlgorithm=SHA1', 400, "Parameter 'checksumAlgorithm' must be one of"],
  ])('is refused %s', async (_, query, status, message) => {
    const id = await create();
    expect((await upload(id, Buffer.from('x'), query)).json).toMatchObject({
      status,
      message: expect.stringContaining(message),
    });
    await hasNoData(id);
  });

  it('is refused when it, or the body, is too long, or empty', async () => {
    const id = await create();
    expect((await upload(id, Buffer.alloc(3_000_001))).json).toMatchObject({
      status: 413,
      errorCode: 31,
      message: 'Payload size exceeds the limit of 3000000 bytes',
    });
    expect((await upload(id, Buffer.alloc(5_000_000))).json).toMatchObject({
      status: 413,
      message: 'Payload size exceeds the limit of 4000000 bytes',
    });
    expect((await upload(id, Buffer.alloc(0))).json).toMatchObject({
      status: 400,
      message: 'OtaPackage data should be specified!',
    });
    await hasNoData(id);
  });

  const multipart = (...lines: string[]) => ({
    headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
    body: lines.join('\r\n'),
  });
  const part = (name: string, text: string) => [
    '--b',
    `Content-Disposition: form-data; name="${name}"; filename="x.bin"`,
    'Content-Type: application/octet-stream',
    '',
    text,
  ];

  it.each<[string, { headers: Record<string, string>; body: string }, number, string]>([
    ['JSON', { headers: {}, body: '{}' }, 415, "Content-Type 'application/json' is not supported"],
    ['a form without the part', multipart(...part('other', 'x'), '--b--'), 400, "Required part 'file' is not present."],
    ['a form that does not end', multipart(...part('file', 'x')), 400, 'The multipart body is malformed'],
    [
      'a form without its last boundary',
      multipart(...part('file', 'x'), '--b', ''),
      400,
      'The multipart body is malformed',
    ],
    ['no form at all', multipart('nothing'), 400, 'The multipart body is malformed'],
    [
      'a form without a boundary',
      { headers: { 'Content-Type': 'multipart/form-data; x=y' }, body: 'x' },
      400,
      'The multipart body is malformed',
    ],
  ])('is refused when what comes is %s', async (_, { headers, body }, status, message) => {
    const id = await create();
    const path = `/api/otaPackage/${id}?checksumAlgorithm=MD5`;
    const answer = await server.call('POST', path, { token, body, headers });
    expect(answer.json()).toMatchObject({ status, message });
    await hasNoData(id);
  });

  it('is found among other parts of a form', async () => {
    const id = await create();
    const body = [
      ...['--b', 'Content-Disposition: form-data; name="title"', '', 'ignored'],
      ...part('other', 'not this one'),
      ...part('file', 'this one'),
      ...part('file', 'nor this one'),
      '--b--',
      'epilogue',
    ];
    const answer = await server.call('POST', `/api/otaPackage/${id}?checksumAlgorithm=MD5`, {
      token,
      ...multipart(...body),
    });
    expect(answer.json()).toMatchObject({ fileName: 'x.bin', dataSize: 8 });
    expect((await bytesOf(await download(id))).toString()).toBe('this one');
  });

  /** Sends the beginning of a body; resolves when the gateway has it. */
  async function begin(of: ServerUnderTest, jwt: string, id: string): Promise<Socket> {
    const socket = connect(of.port, '127.0.0.1');
    socket.write(
      [
        `POST /api/otaPackage/${id}?checksumAlgorithm=MD5 HTTP/1.1`,
        'Host: x',
        `X-Authorization: Bearer ${jwt}`,
        'Content-Type: multipart/form-data; boundary=b',
        'Content-Length: 1000000',
        '',
        ...part('file', 'x'.repeat(100_000)),
      ].join('\r\n'),
    );
    await uploadsAre(of, 1);
    return socket;
  }
  async function uploadsAre(of: ServerUnderTest, count: number): Promise<void> {
    const gauge = of.core.metrics.list().find(({ name }) => name === 'tandem_firmware_uploads');
    while (gauge?.read() !== count) await new Promise((resolve) => setImmediate(resolve));
  }

  it('leaves nothing when its sender goes away in the middle', async () => {
    const id = await create();
    (await begin(server, token, id)).destroy();
    await uploadsAre(server, 0);
    await hasNoData(id);
    expect((await upload(id, Buffer.from('x'))).status).toBe(200);
  });

  it('is to come again when the gateway stops in the middle, and leaves nothing', async () => {
    const own = await ServerUnderTest.start();
    try {
      const jwt = (await own.login()).token;
      const body = { type: 'FIRMWARE', title: 'cut off', version: '1' };
      const { id } = (await own.call('POST', '/api/otaPackage', { token: jwt, body })).json<PackageJson>().id;
      const socket = await begin(own, jwt, id);
      const answer = new Promise<string>((resolve) => socket.once('data', (text) => resolve(String(text))));
      const closed = own.api.close(1_000);
      expect(await answer).toMatch(
        /^HTTP\/1.1 503 (?:.|\r\n)*Connection: close\r\n(?:.|\r\n)*The gateway is shutting down/i,
      );
      await closed;
      socket.destroy();
      expect(await own.core.state.firmware.get(id)).toMatchObject({ dataId: null, dataSize: null });
    } finally {
      await own.stop();
    }
  });
});

describe('A download', () => {
  const bytes = randomBytes(300_000);
  let id: string;
  beforeAll(async () => {
    id = await uploaded(bytes);
  });

  it('names the file, its type and its size', async () => {
    const response = await download(id);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'accept-ranges': 'bytes',
      'cache-control': 'private, no-cache',
      'content-disposition': 'attachment;filename=fw.bin',
      'content-length': '300000',
      'content-type': 'application/octet-stream',
      'x-filename': 'fw.bin',
      'x-content-type-options': 'nosniff',
    });
    expect((await bytesOf(response)).equals(bytes)).toBe(true);
  });

  it.each([
    ['bytes=0-0', 0, 1],
    ['bytes=131071-131072', 131_071, 131_073],
    ['bytes=299999-', 299_999, 300_000],
    ['bytes=-10', 299_990, 300_000],
    ['bytes=1000-9999999', 1_000, 300_000],
    ['bytes=-9999999', 0, 300_000],
  ])('gives the range %s', async (range, start, end) => {
    const response = await download(id, { Range: range });
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/300000`);
    expect((await bytesOf(response)).equals(bytes.subarray(start, end))).toBe(true);
  });

  it.each(['bytes=0-1,5-6', 'bytes=5-4', 'bytes=-', 'bytes=x-', 'lines=1-2'])(
    'gives all of it for %s',
    async (range) => {
      const response = await download(id, { Range: range });
      expect(response.status).toBe(200);
      expect(await bytesOf(response)).toHaveLength(300_000);
    },
  );

  it.each(['bytes=300000-', 'bytes=999999-9999999', 'bytes=-0'])('refuses the range %s', async (range) => {
    const response = await download(id, { Range: range });
    expect(response.status).toBe(416);
    expect(response.headers.get('content-range')).toBe('bytes */300000');
  });

  it('is not repeated for who has it, and goes on for who has a part of it', async () => {
    const etag = (await download(id)).headers.get('etag') ?? '';
    expect((await download(id, { 'If-None-Match': etag })).status).toBe(304);
    expect((await download(id, { 'If-None-Match': '"other"' })).status).toBe(200);
    expect((await download(id, { Range: 'bytes=5-', 'If-Range': etag })).status).toBe(206);
    expect((await download(id, { Range: 'bytes=5-', 'If-Range': '"other"' })).status).toBe(200);
  });

  it('of a package without a file is not found', async () => {
    expect((await download(await create())).status).toBe(404);
  });
});

describe('A package that is assigned', () => {
  it('is told to the device over the server API, and taken from it', async () => {
    const id = await uploaded(Buffer.from('image'), { title: 'assigned', version: '2.0' });
    const device = (await server.call('POST', '/api/device', { token, body: { name: 'updated' } })).json<PackageJson>();
    const firmwareId = { entityType: 'OTA_PACKAGE', id };
    const saved = await server.call('POST', '/api/device', { token, body: { ...device, firmwareId } });
    expect(saved.json()).toMatchObject({ firmwareId, softwareId: null });
    const attributes = async () => {
      const path = `/api/plugins/telemetry/DEVICE/${device.id.id}/values/attributes/SHARED_SCOPE`;
      const list = (await server.call('GET', path, { token })).json<{ key: string; value: unknown }[]>();
      return Object.fromEntries(list.map(({ key, value }) => [key, value]));
    };
    expect(await attributes()).toEqual({
      fw_checksum: createHash('sha256').update('image').digest('hex'),
      fw_checksum_algorithm: 'SHA256',
      fw_size: 5,
      fw_title: 'assigned',
      fw_version: '2.0',
    });
    await server.core.state.materialiser.caughtUp();
    const keys = 'fw_state,target_fw_title,target_fw_version,target_fw_ts';
    const path = `/api/plugins/telemetry/DEVICE/${device.id.id}/values/timeseries?keys=${keys}`;
    expect((await server.call('GET', path, { token })).json()).toMatchObject({
      fw_state: [{ value: 'INITIATED' }],
      target_fw_title: [{ value: 'assigned' }],
      target_fw_version: [{ value: '2.0' }],
      target_fw_ts: [{ value: String(server.clock.now()) }],
    });
    await server.call('POST', '/api/device', { token, body: { ...saved.json<object>(), firmwareId: null } });
    expect(await attributes()).toEqual({});
  });

  it('is told to the devices of a profile', async () => {
    const profile = await server.call('GET', `/api/deviceProfile/${profileId.id}`, { token });
    const id = await uploaded(Buffer.from('of the profile'), { type: 'SOFTWARE' });
    const device = await server.createDevice(token, 'member');
    const softwareId = { entityType: 'OTA_PACKAGE', id };
    const saved = await server.call('POST', '/api/deviceProfile', {
      token,
      body: { ...profile.json<object>(), softwareId },
    });
    expect(saved.json()).toMatchObject({ softwareId });
    while (await server.core.firmware.rollouts.work());
    const shared = await server.core.attributes.read(device, 'SHARED', ['sw_size']);
    expect(shared).toMatchObject([{ value: '14' }]);
    const wrong = { entityType: 'OTA_PACKAGE', id: await create({ type: 'SOFTWARE' }) };
    const body = { ...saved.json<object>(), softwareId: wrong };
    expect((await server.call('POST', '/api/deviceProfile', { token, body })).json()).toMatchObject({
      status: 400,
      message: "Can't assign software with empty data!",
    });
  });
});
