import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type EntityJson, OtaClient } from '../testing/ota-client';
import { ServerUnderTest } from '../testing/server-under-test';

let client: OtaClient;
let server: ServerUnderTest;
let token: string;
beforeAll(async () => {
  client = await OtaClient.start({
    HTTP_MAX_PAYLOAD_SIZE_LIMIT_CONFIGURATION: '/api/otaPackage/*=4000000;/api/**=100000',
    TANDEM_FIRMWARE_MAX_BYTES: '3000000',
  });
  ({ server, token } = client);
});
afterAll(() => server.stop());

const hasNoData = async (id: string) =>
  expect((await client.info(id)).json()).toMatchObject({
    hasData: false,
    checksum: null,
    dataSize: null,
    fileName: null,
  });
const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());

describe('The file of a package', () => {
  it('is taken from curl, and given back byte by byte', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tandem-upload-'));
    const bytes = randomBytes(2_500_000);
    await writeFile(join(folder, 'fw 1.0 ü.bin'), bytes);
    const id = await client.create();
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
    const disposition = (await client.download(id)).headers.get('content-disposition');
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
    const { status, json } = await client.upload(
      await client.create(),
      Buffer.from('12345'),
      `checksumAlgorithm=${algorithm}`,
    );
    expect(status).toBe(200);
    expect(json).toMatchObject({
      checksumAlgorithm: algorithm,
      checksum: checksum ?? expect.stringMatching(/^[0-9a-f]+$/),
    });
  });

  it('is refused and leaves nothing when it has another checksum than was given', async () => {
    const id = await client.create();
    const { json } = await client.upload(id, Buffer.from('12345'), 'checksumAlgorithm=MD5&checksum=00');
    expect(json).toMatchObject({ status: 400, errorCode: 31, message: 'Wrong otaPackage file!' });
    await hasNoData(id);
    const given = 'checksumAlgorithm=MD5&checksum=827CCB0EEA8A706C4C34A16891F84E7B';
    expect((await client.upload(id, Buffer.from('12345'), given)).status).toBe(200);
  });

  it('is never replaced', async () => {
    const id = await client.uploaded(Buffer.from('first'));
    expect((await client.upload(id, Buffer.from('second'))).json).toMatchObject({
      status: 400,
      message: 'Updating otaPackage data is prohibited!',
    });
    expect((await bytesOf(await client.download(id))).toString()).toBe('first');
  });

  it.each<[string, string, number, string]>([
    ['without an algorithm', '', 400, "Required request parameter 'checksumAlgorithm' is not present"],
    ['with an unknown algorithm', 'checksumAlgorithm=SHA1', 400, "Parameter 'checksumAlgorithm' must be one of"],
  ])('is refused %s', async (_, query, status, message) => {
    const id = await client.create();
    expect((await client.upload(id, Buffer.from('x'), query)).json).toMatchObject({
      status,
      message: expect.stringContaining(message),
    });
    await hasNoData(id);
  });

  it('is refused when it, or the body, is too long, or empty', async () => {
    const id = await client.create();
    expect((await client.upload(id, Buffer.alloc(3_000_001))).json).toMatchObject({
      status: 413,
      errorCode: 31,
      message: 'Payload size exceeds the limit of 3000000 bytes',
    });
    expect((await client.upload(id, Buffer.alloc(5_000_000))).json).toMatchObject({
      status: 413,
      message: 'Payload size exceeds the limit of 4000000 bytes',
    });
    expect((await client.upload(id, Buffer.alloc(0))).json).toMatchObject({
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
    const id = await client.create();
    const path = `/api/otaPackage/${id}?checksumAlgorithm=MD5`;
    const answer = await server.call('POST', path, { token, body, headers });
    expect(answer.json()).toMatchObject({ status, message });
    await hasNoData(id);
  });

  it('is found among other parts of a form', async () => {
    const id = await client.create();
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
    expect((await bytesOf(await client.download(id))).toString()).toBe('this one');
  });

  it.each<[string, string[], string]>([
    ['with parameters', ['Content-Type: text/plain; Charset="UTF-8"; x=1'], 'text/plain; Charset="UTF-8"; x=1'],
    ['over two lines', ['content-type:text/plain;', ' charset=utf-8  '], 'text/plain; charset=utf-8'],
    ['in capitals', ['CONTENT-TYPE: Application/X-Firmware'], 'Application/X-Firmware'],
    ['that is empty', ['Content-Type:  '], 'application/octet-stream'],
    ['that is missing', [], 'application/octet-stream'],
  ])('keeps a type %s', async (_, type, expected) => {
    const id = await client.create();
    const about = 'Content-Disposition: form-data; name="file"; filename="x.bin"';
    const other = ['--b', 'Content-Disposition: form-data; name="z"; filename="z"', 'Content-Type: a/other', '', 'z'];
    const form = multipart(...other, '--b', about, ...type, '', 'x', ...other, '--b--');
    const answer = await server.call('POST', `/api/otaPackage/${id}?checksumAlgorithm=MD5`, { token, ...form });
    expect(answer.json()).toMatchObject({ contentType: expected });
    expect((await client.download(id)).headers.get('content-type')).toBe(expected);
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
    while (of.core.metrics.value('tandem_firmware_uploads') !== count)
      await new Promise((resolve) => setImmediate(resolve));
  }

  it('is given up when its sender keeps the connection and falls silent, and the package can be uploaded', async () => {
    const received = () => server.core.metrics.value('tandem_firmware_upload_bytes_total') ?? 0;
    const before = received();
    const id = await client.create();
    const socket = await begin(server, token, id);
    const answer = new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString())));
    expect((await client.upload(id, Buffer.from('x'))).status).toBe(429);
    // The end may be kept back: a boundary could begin with it.
    while (received() < before + 99_900) await new Promise((resolve) => setImmediate(resolve));
    await server.clock.timerOf(30_000);
    server.clock.advance(30_000);
    expect(await answer).toMatch(/^HTTP\/1.1 400 [\s\S]*Nothing of the file has come for 30 seconds/);
    await uploadsAre(server, 0);
    socket.destroy();
    await hasNoData(id);
    expect((await client.upload(id, Buffer.from('x'))).status).toBe(200);
  });

  it('leaves nothing when its sender goes away in the middle', async () => {
    const id = await client.create();
    (await begin(server, token, id)).destroy();
    await uploadsAre(server, 0);
    await hasNoData(id);
    expect((await client.upload(id, Buffer.from('x'))).status).toBe(200);
  });

  it('is to come again when the gateway stops in the middle, and leaves nothing', async () => {
    const own = await ServerUnderTest.start();
    try {
      const jwt = (await own.login()).token;
      const body = { type: 'FIRMWARE', title: 'cut off', version: '1' };
      const { id } = (await own.call('POST', '/api/otaPackage', { token: jwt, body })).json<EntityJson>().id;
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
    id = await client.uploaded(bytes);
  });

  it('names the file, its type and its size', async () => {
    const response = await client.download(id);
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
    const response = await client.download(id, { Range: range });
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/300000`);
    expect((await bytesOf(response)).equals(bytes.subarray(start, end))).toBe(true);
  });

  it.each(['bytes=0-1,5-6', 'bytes=5-4', 'bytes=-', 'bytes=x-', 'lines=1-2'])(
    'gives all of it for %s',
    async (range) => {
      const response = await client.download(id, { Range: range });
      expect(response.status).toBe(200);
      expect(await bytesOf(response)).toHaveLength(300_000);
    },
  );

  it.each(['bytes=300000-', 'bytes=999999-9999999', 'bytes=-0'])('refuses the range %s', async (range) => {
    const response = await client.download(id, { Range: range });
    expect(response.status).toBe(416);
    expect(response.headers.get('content-range')).toBe('bytes */300000');
  });

  it('is not repeated for who has it, and goes on for who has a part of it', async () => {
    const etag = (await client.download(id)).headers.get('etag') ?? '';
    expect((await client.download(id, { 'If-None-Match': etag })).status).toBe(304);
    expect((await client.download(id, { 'If-None-Match': '"other"' })).status).toBe(200);
    expect((await client.download(id, { Range: 'bytes=5-', 'If-Range': etag })).status).toBe(206);
    expect((await client.download(id, { Range: 'bytes=5-', 'If-Range': '"other"' })).status).toBe(200);
  });

  it('is refused where another file is meant', async () => {
    const etag = (await client.download(id)).headers.get('etag') ?? '';
    const refused = await client.download(id, { 'If-Match': '"other"', Range: 'bytes=5-' });
    expect([refused.status, await refused.text()]).toEqual([412, '']);
    expect((await client.download(id, { 'If-Match': etag, Range: 'bytes=5-' })).status).toBe(206);
  });

  it('of a package without a file is not found', async () => {
    expect((await client.download(await client.create())).status).toBe(404);
  });
});
