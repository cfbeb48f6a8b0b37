import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../support/gateway-process';
import { type InteropDevice, InteropGateway, text, WEBHOOK_REPLY } from './interop-gateway';
import { endTools, run, Tool } from './tool';

let gateway: InteropGateway;
let device: InteropDevice;
beforeAll(async () => {
  gateway = await InteropGateway.start();
});
afterAll(() => gateway.stop());
beforeEach(async () => {
  device = await gateway.device();
});
afterEach(async () => {
  await endTools();
  await gateway.remove(device);
});

/** Long enough for any test. */
const OBSERVE = ['-s', '60', '-m', 'get'];

const client = (...args: string[]) => run('coap-client-notls', '-B', '10', ...args);
const url = (feature: string) => gateway.url(device, feature);

function file(content: string): string {
  const path = join(temporaryFolder(), 'body');
  writeFileSync(path, content);
  return path;
}

const TYPES: [string, string[]][] = [
  ['Confirmable', []],
  ['Non-confirmable', ['-N']],
];
const BLOCKS = [['64'], ['256'], ['1024']];

describe.each(TYPES)('coap-client of libcoap with %s messages', (_, type) => {
  it('posts telemetry', async () => {
    expect(await client(...type, '-m', 'post', '-e', '{"a":1}', url('telemetry'))).toBe('');
    await gateway.stored(device, { a: '1' });
  });

  it('reads attributes of both scopes', async () => {
    await client(...type, '-m', 'post', '-e', '{"mine":1}', url('attributes'));
    await gateway.server.share(device.id, { yours: true });
    expect(await client(...type, url('attributes?clientKeys=mine&sharedKeys=yours'))).toBe(
      '{"client":{"mine":1},"shared":{"yours":true}}',
    );
  });

  it('waits for the separate answer to a command of its own', async () => {
    expect(await client(...type, '-m', 'post', '-e', '{"method":"ask","params":{}}', url('rpc'))).toBe(WEBHOOK_REPLY);
  });

  it('is told 4.01 for a wrong token and 4.05 for a method that is none of ours', async () => {
    expect(await client(...type, '-m', 'post', '-e', '{}', `${gateway.base}/api/v1/nope/telemetry`)).toMatch(/^4\.01/);
    expect(await client(...type, '-m', 'put', '-e', '{"a":1}', url('telemetry'))).toMatch(/^4\.05/);
    expect(await client(...type, '-m', 'delete', url('telemetry'))).toMatch(/^4\.05/);
  });

  it('observes attributes', async () => {
    const long = text(3_000);
    const observer = new Tool('coap-client-notls', ...type, ...OBSERVE, url('attributes'));
    await observer.shows('{}');
    await gateway.process.observations(1);
    await gateway.server.share(device.id, { short: 1 });
    await observer.shows('{"short":1}');
    await gateway.server.share(device.id, { long });
    await observer.shows(JSON.stringify({ long }));
    await gateway.server.unshare(device.id, ['long']);
    await observer.shows('{"deleted":["long"]}');
  });

  it('ends its observation', async () => {
    const observer = new Tool('coap-client-notls', ...type, '-s', '2', '-m', 'get', url('attributes'));
    await gateway.process.observations(1);
    await observer.exited;
    await gateway.process.observations(0);
  });

  it('gets the commands that waited for it and later ones, and answers them', async () => {
    const earlier = await gateway.server.persistentCommand(device.id, 'earlier', { pin: 1 });
    const observer = new Tool('coap-client-notls', ...type, ...OBSERVE, url('rpc'));
    await observer.shows('{"id":0,"method":"earlier","params":{"pin":1}}');
    const later = await gateway.server.persistentCommand(device.id, 'later', null);
    await observer.shows('{"id":1,"method":"later","params":null}');
    await gateway.commandBecomes(later, 'DELIVERED');
    for (const id of [0, 1]) await client(...type, '-m', 'post', '-e', '{"done":true}', url(`rpc/${id}`));
    await gateway.commandBecomes(earlier, 'SUCCESSFUL');
    await gateway.commandBecomes(later, 'SUCCESSFUL');
  });
});

describe.each(BLOCKS)('coap-client of libcoap with blocks of %s bytes', (size) => {
  it('uploads 100 kB', async () => {
    const value = text(100_000);
    expect(await client('-m', 'post', '-b', size, '-f', file(JSON.stringify({ value })), url('telemetry'))).toBe('');
    await gateway.stored(device, { value });
  });

  it.each(TYPES)('downloads 20 kB (%s)', async (_, type) => {
    const value = text(20_000);
    await gateway.server.share(device.id, { value });
    expect(await client(...type, '-b', size, url('attributes?sharedKeys=value'))).toBe(
      JSON.stringify({ shared: { value } }),
    );
  });

  it('observes attributes and gets a notification of 20 kB', async () => {
    const value = text(20_000);
    const observer = new Tool('coap-client-notls', ...OBSERVE, '-b', size, url('attributes'));
    await observer.shows('{}');
    await gateway.server.share(device.id, { value });
    await observer.shows(JSON.stringify({ value }));
  });
});

describe('coap-client of libcoap', () => {
  it('uploads 5 kB in Non-confirmable blocks', async () => {
    const value = text(5_000);
    await client('-N', '-m', 'post', '-b', '256', '-f', file(JSON.stringify({ value })), url('telemetry'));
    await gateway.stored(device, { value });
  });

  it('is told 4.13 for a body beyond the limit, of which nothing is stored', async () => {
    const body = file(JSON.stringify({ value: text(300_000) }));
    expect(await client('-m', 'post', '-f', body, url('telemetry'))).toMatch(/^4\.13/);
    await client('-m', 'post', '-e', '{"after":1}', url('telemetry'));
    await gateway.stored(device, { after: '1' });
  });

  it('finds the device API in /.well-known/core', async () => {
    expect(await client(`${gateway.base}/.well-known/core`)).toContain('</api/v1>');
  });
});
