import { once } from 'node:events';
import { TestGateway } from './testing/test-gateway';

describe('A body that a pattern limits', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start({
      settings: {
        HTTP_TRANSPORT_MAX_PAYLOAD_SIZE_LIMIT_CONFIGURATION: [
          '/api/v1/big/**=3000',
          '/api/v1/small-*/**=20',
          '/api/v1/rpc=30',
          '/api/v1/*/telemetry=100',
          '/api/v1/telemetry=40',
          '/api/v1/**=1000',
        ].join(';'),
      },
    });
    for (const token of ['big', 'small-1', 'a/b', 'any']) await gateway.device(token);
  });
  afterAll(() => gateway.stop());

  /** The limit that refuses a body of `bytes`, or the status. */
  async function limit(path: string, bytes: number, bearer?: string): Promise<number> {
    const headers: Record<string, string> = bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` };
    const { status, text } = await gateway.send('POST', path, { body: `"${'x'.repeat(bytes - 2)}"`, headers });
    return status === 413 ? Number(/ (\d+) bytes/.exec(text)?.[1]) : status;
  }

  it.each([
    ['the first that fits counts, and one that names a token fits that alone', '/big/telemetry', 3001, 3000],
    ['as much as it says is read', '/big/telemetry', 3000, 400],
    ['a part of a token', '/small-1/attributes', 21, 20],
    ['a resource of any token', '/any/telemetry', 101, 100],
    ['the rest', '/any/attributes', 1001, 1000],
    ['a path that is not there', '/small-2/nothing/at/all', 21, 20],
    ['percent-encoding gets around none', '/small%2D1/attributes', 21, 20],
    ['a token with a slash in it is one segment', '/a%2Fb/telemetry', 101, 100],
    ['a segment that is badly encoded is taken as it stands', '/%zz/telemetry', 101, 100],
  ])('%s', async (_name, path, bytes, expected) => {
    expect(await limit(path, bytes)).toBe(expected);
  });

  it.each([
    ['the path as it stands', '/rpc', 31, 'any', 30],
    ['the path it would be with its token, where that comes first', '/telemetry', 101, 'any', 100],
    ['also with a token that has a limit of its own', '/telemetry', 21, 'small-1', 20],
    ['also with one that may have more', '/telemetry', 3000, 'big', 400],
  ])('with the token in a header: %s', async (_name, path, bytes, bearer, expected) => {
    expect(await limit(path, bytes, bearer)).toBe(expected);
  });

  it('is also counted as it comes', async () => {
    const socket = gateway.connect();
    const head = 'POST /api/v1/small-1/telemetry HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
    socket.write(`${head}15\r\n${' '.repeat(21)}\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(answer.toString()).toMatch(/^HTTP\/1.1 413 .*"Payload size exceeds the limit of 20 bytes"$/s);
  });
});
