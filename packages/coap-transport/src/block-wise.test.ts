import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ClientRpcBackend } from '@tandem/core';
import { RawClient } from './testing/raw-client';
import { type TestDevice, TestGateway } from './testing/test-gateway';

const run = promisify(execFile);

/** A reply much longer than a block, of what was asked and how often. */
const backend: ClientRpcBackend & { calls: number } = {
  calls: 0,
  async call({ params }) {
    return JSON.stringify({ calls: ++this.calls, asked: JSON.parse(params), more: 'r'.repeat(5000) });
  },
};

let gateway: TestGateway;
let device: TestDevice;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tandem-blocks-'));
  const settings = {
    TANDEM_COAP_SOURCE_REPLIES: '0',
    TANDEM_CREDENTIALS_CACHE_MAX: '1',
    TANDEM_COAP_MAX_BODY: '150000',
  };
  gateway = await TestGateway.start({ settings, backend });
});
afterAll(async () => {
  await gateway.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  device = await gateway.device();
  backend.calls = 0;
});

const path = (feature: string) => `api/v1/${device.token}/${feature}`;
const url = (feature: string) => `coap://127.0.0.1:${gateway.transport.port}/${path(feature)}`;

/** What libcoap's client prints. */
async function libcoap(...args: string[]): Promise<string> {
  const { stdout, stderr } = await run('coap-client-notls', ['-B', '20', ...args], { maxBuffer: 1 << 20 });
  return `${stdout}${stderr}`.trim();
}

async function file(content: string): Promise<string> {
  const name = join(folder, 'body');
  await writeFile(name, content);
  return name;
}

/** A JSON object of one key with about so many bytes, no part of which is like another. */
function json(key: string, length: number): string {
  let text = '';
  for (let i = 0; text.length < length; i++) text += `${i},`;
  return JSON.stringify({ [key]: text });
}

const BLOCK_1024 = 6;
const blockOption = (number: number, more: boolean) => (number << 4) | (more ? 8 : 0) | BLOCK_1024;

describe('libcoap', () => {
  it.each(['64', '256', '1024'])(
    '100 kB of telemetry in blocks of %s bytes are stored once and whole',
    async (size) => {
      const payload = json('big', 100_000);
      expect(await libcoap('-b', size, '-m', 'post', '-f', await file(payload), url('telemetry'))).toBe('');
      expect((await gateway.stored(device)).big?.value).toBe(JSON.stringify(JSON.parse(payload).big));
      const all = { startTs: 0, endTs: Number.MAX_SAFE_INTEGER, limit: 10, order: 'ASC' } as const;
      const history = await gateway.core.timeSeries.history(device.id, ['big'], all);
      expect(history.get('big')).toHaveLength(1);
      expect(gateway.gauge('tandem_coap_upload_bytes')).toBe(0);
    },
  );

  it.each(['16', '32', '64', '128', '256', '512', '1024'])(
    '20 kB of attributes are read in blocks of %s bytes',
    async (size) => {
      await gateway.share(device, { big: JSON.stringify(JSON.parse(json('big', 20_000)).big) });
      const output = join(folder, 'output');
      await libcoap('-b', size, '-m', 'get', '-o', output, `${url('attributes')}?sharedKeys=big`);
      expect(JSON.parse(await readFile(output, 'utf8')).shared).toEqual(JSON.parse(json('big', 20_000)));
    },
  );

  it.each(['64', '1024'])('a long command with a long reply is run once, in blocks of %s bytes', async (size) => {
    const params = json('p', 3_000);
    const name = await file(`{"method":"m","params":${params}}`);
    const reply = JSON.parse(await libcoap('-b', size, '-m', 'post', '-f', name, url('rpc')));
    expect(reply).toEqual({ calls: 1, asked: JSON.parse(params), more: 'r'.repeat(5000) });
    expect(backend.calls).toBe(1);
  });

  it('a body over the limit is refused at its first block, and libcoap says why', async () => {
    expect(await libcoap('-b', '1024', '-m', 'post', '-f', await file(json('big', 200_000)), url('telemetry'))).toMatch(
      /4\.13/,
    );
    expect(await gateway.stored(device)).toEqual({});
  });
});

describe('rights', () => {
  it('a thousand strangers with a first block each get 4.01 and hold nothing', async () => {
    const held = () => [
      gateway.gauge('tandem_coap_upload_bytes'),
      gateway.gauge('tandem_coap_download_bytes'),
      gateway.gauge('tandem_coap_deduplication_bytes'),
      gateway.gauge('tandem_coap_running_exchanges'),
    ];
    const before = held();
    const kinds = new Set<string>();
    for (let i = 0; i < 1000; i++) {
      const stranger = await RawClient.open(gateway.transport.port);
      const answer = await stranger.ask({
        method: 'POST',
        path: `api/v1/stranger${i}/telemetry`,
        payload: 'x'.repeat(1024),
        block1: blockOption(0, true),
      });
      kinds.add(answer.kind);
      stranger.close();
    }
    expect([...kinds]).toEqual(['ACK 4.01']);
    expect(held()).toEqual(before);
    expect(gateway.gauge('tandem_coap_upload_bytes')).toBe(0);
  });

  it.each(['its credentials change', 'it is deleted'])(
    'the late blocks of an upload are refused when %s',
    async (what) => {
      const client = await gateway.client();
      const payload = json('big', 3_000);
      const send = (number: number, more: boolean) =>
        client.ask({
          method: 'POST',
          path: `api/v1/${device.token}/telemetry`,
          payload: payload.slice(number * 1024, (number + 1) * 1024),
          block1: blockOption(number, more),
        });
      expect((await send(0, true)).kind).toBe('ACK 2.31');
      if (what === 'it is deleted') await gateway.remove(device);
      else await gateway.changeToken(device, `new ${device.token}`);
      expect((await send(1, true)).kind).toBe('ACK 4.01');
      expect((await send(2, false)).kind).toBe('ACK 4.01');
      expect(await gateway.stored(device)).toEqual({});
    },
  );

  it('the late blocks of a reply are refused when the credentials of its device change', async () => {
    const client = await gateway.client();
    const old = path('rpc');
    const first = await client.ask({ method: 'POST', path: old, payload: '{"method":"m","params":{}}' });
    expect([first.kind, first.text.length]).toEqual(['ACK 2.05', 1024]);
    expect((await client.ask({ method: 'POST', path: old, block2: blockOption(1, false) })).kind).toBe('ACK 2.05');
    await gateway.changeToken(device, `new ${device.token}`);
    expect((await client.ask({ method: 'POST', path: old, block2: blockOption(2, false) })).kind).toBe('ACK 4.01');
    expect(backend.calls).toBe(1);
  });

  it('a device whose credentials have left the cache reads its reply on, and its command is not run again', async () => {
    const client = await gateway.client();
    const first = await client.ask({ method: 'POST', path: path('rpc'), payload: '{"method":"m","params":{}}' });
    const other = await gateway.device();
    await client.ask({ path: `api/v1/${other.token}/attributes` });
    const misses = gateway.gauge('tandem_credentials_cache_misses_total');
    const second = await client.ask({ method: 'POST', path: path('rpc'), block2: blockOption(1, false) });
    expect(gateway.gauge('tandem_credentials_cache_misses_total')).toBeGreaterThan(misses);
    expect(`${first.text}${second.text}`).toMatch(/^{"calls":1,"asked":{},"more":"r{2000}/);
    expect(backend.calls).toBe(1);
  });

  it('another device at the same address sees nothing of a reply that is kept', async () => {
    const client = await gateway.client();
    await client.ask({ method: 'POST', path: path('rpc'), payload: '{"method":"m","params":{}}' });
    const other = await gateway.device();
    const answer = await client.ask({
      method: 'POST',
      path: `api/v1/${other.token}/rpc`,
      block2: blockOption(1, false),
    });
    expect([answer.kind, answer.text]).toEqual(['ACK 4.08', '']);
    expect(backend.calls).toBe(1);
  });
});

describe('the first block of a longer request', () => {
  it.each([
    ['POST', 'an unknown feature', 'api/v1/TOKEN/nothing', '4.00'],
    ['POST', 'no feature', 'api/v1', '4.00'],
    ['POST', 'another root', 'other/v1/TOKEN/telemetry', '4.04'],
    ['POST', 'a token nobody has', 'api/v1/nobody/telemetry', '4.01'],
    ['GET', 'telemetry', 'api/v1/TOKEN/telemetry', '4.00'],
    ['GET', 'attributes, which takes no body,', 'api/v1/TOKEN/attributes', '4.00'],
    ['PUT', 'telemetry', 'api/v1/TOKEN/telemetry', '4.05'],
    ['DELETE', 'an unknown feature', 'api/v1/TOKEN/nothing', '4.05'],
  ])('%s of %s (%s) is %s, as it is without blocks', async (method, _what, where, code) => {
    const held = gateway.gauge('tandem_coap_upload_bytes');
    const client = await gateway.client();
    const request = { method, path: where.replace('TOKEN', device.token), payload: 'x'.repeat(1024) };
    expect((await client.ask({ ...request, block1: blockOption(0, true) })).kind).toBe(`ACK ${code}`);
    if (!where.endsWith('attributes')) expect((await client.ask(request)).kind).toBe(`ACK ${code}`);
    expect(gateway.gauge('tandem_coap_upload_bytes')).toBe(held);
  });

  it.each([
    ['GET', 'attributes?', 'ACK 4.04'],
    ['GET', 'telemetry', 'ACK 4.00'],
    ['PUT', 'telemetry', 'ACK 4.05'],
    ['POST', 'nothing', 'ACK 4.00'],
    ['POST', 'telemetry', 'ACK 2.01'],
  ])('that is also the last is a whole request: %s %s is %s', async (method, feature, expected) => {
    const client = await gateway.client();
    const payload = method === 'POST' ? '{"a":1}' : '';
    const answer = await client.ask({
      method,
      path: path(feature.replace('?', '')),
      payload,
      block1: blockOption(0, false),
    });
    expect([answer.kind, answer.block1]).toEqual([expected, blockOption(0, false)]);
  });

  it('counts for no limit: a body in blocks is charged once, as telemetry or as what else it is', async () => {
    const limited = await TestGateway.start({
      settings: { TANDEM_RATE_LIMIT_DEVICE_MSGS: '1:600', TANDEM_RATE_LIMIT_DEVICE_TELEMETRY_MSGS: '2:600' },
    });
    const { token } = await limited.device();
    const client = await limited.client();
    const payload = json('a', 1_500);
    const send = async (number: number, more: boolean, feature = 'telemetry') => {
      const part = payload.slice(number * 1024, (number + 1) * 1024);
      const block1 = blockOption(number, more);
      return (await client.ask({ method: 'POST', path: `api/v1/${token}/${feature}`, payload: part, block1 })).kind;
    };
    expect([await send(0, true), await send(1, false)]).toEqual(['ACK 2.31', 'ACK 2.01']);
    expect([await send(0, true), await send(1, false, 'attributes')]).toEqual(['ACK 2.31', 'ACK 4.08']);
    expect([await send(0, true), await send(1, false)]).toEqual(['ACK 2.31', 'ACK 2.01']);
    expect([await send(0, true), await send(1, false)]).toEqual(['ACK 2.31', 'ACK 4.29']);
    expect([await send(0, true, 'rpc/1'), await send(1, false, 'rpc/1')]).toEqual(['ACK 2.31', 'ACK 2.01']);
    expect([await send(0, true, 'rpc/1'), await send(1, false, 'rpc/1')]).toEqual(['ACK 2.31', 'ACK 4.29']);
    expect(limited.gauge('tandem_coap_upload_bytes')).toBe(0);
    await limited.stop();
  });

  it('of one device from many addresses: all of them hold the share of one', async () => {
    const share = 8_192;
    const small = await TestGateway.start({ settings: { TANDEM_COAP_BLOCKWISE_BYTES_PER_PEER: `${share}` } });
    const { token } = await small.device();
    const kinds = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const client = await small.client();
      const request = { method: 'POST', path: `api/v1/${token}/telemetry`, payload: 'x'.repeat(16) };
      kinds.add((await client.ask({ ...request, confirmable: false, block1: 8 })).kind);
    }
    expect([...kinds]).toEqual(['NON 2.31', 'NON 5.03']);
    expect(small.gauge('tandem_coap_upload_bytes')).toBeLessThanOrEqual(share);
    await small.stop();
  });
});

it('a token that another device has by now shows it nothing of what was kept for the first', async () => {
  const client = await gateway.client();
  const shared = path('rpc');
  const first = await client.ask({ method: 'POST', path: shared, payload: '{"method":"m","params":{}}' });
  expect(first.kind).toBe('ACK 2.05');
  const other = await gateway.device();
  const { token } = device;
  await gateway.changeToken(device, `old ${token}`);
  await gateway.changeToken(other, token);
  expect((await client.ask({ method: 'POST', path: shared, block2: blockOption(1, false) })).kind).toBe('ACK 4.08');
  expect(backend.calls).toBe(1);
});
