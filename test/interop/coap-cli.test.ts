import { join } from 'node:path';
import { ROOT } from '../support/gateway-process';
import { type InteropDevice, InteropGateway, text, WEBHOOK_REPLY } from './interop-gateway';
import { endTools, run, Tool } from './tool';

const COAP = join(ROOT, 'node_modules', '.bin', 'coap');
/** It shows the code of a response in bold before the payload. */
const shown = (code: string, payload = '') => `\u001b[1m(${code})\u001b[0m${payload && `\t${payload}`}`;

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

const url = (feature: string) => gateway.url(device, feature);
const coap = (...args: string[]) => run(COAP, ...args);

const TYPES: [string, string[]][] = [
  ['Confirmable', []],
  ['Non-confirmable', ['-c']],
];

describe.each(TYPES)('coap-cli with %s messages', (_, type) => {
  it('posts telemetry', async () => {
    expect(await coap('post', ...type, '-p', '{"a":1}', url('telemetry'))).toBe(shown('2.01'));
    await gateway.stored(device, { a: '1' });
  });

  it('reads its attributes', async () => {
    await coap('post', ...type, '-p', '{"mine":1}', url('attributes'));
    expect(await coap('get', ...type, url('attributes'))).toBe(shown('2.05', '{"client":{"mine":1}}'));
  });

  it('waits for the separate answer to a command of its own', async () => {
    expect(await coap('post', ...type, '-p', '{"method":"ask","params":{}}', url('rpc'))).toBe(
      shown('2.05', WEBHOOK_REPLY),
    );
  });

  it('observes attributes', async () => {
    const observer = new Tool(COAP, 'get', '-o', ...type, url('attributes'));
    await observer.shows('{}');
    await gateway.process.observations(1);
    await gateway.server.share(device.id, { x: 1 });
    await observer.shows('{"x":1}');
    await gateway.server.unshare(device.id, ['x']);
    await observer.shows('{"deleted":["x"]}');
  });

  it('is told 4.01 for a wrong token and 4.05 for a method that is none of ours', async () => {
    expect(await coap('get', ...type, `${gateway.base}/api/v1/nope/attributes`)).toBe(shown('4.01'));
    expect(await coap('put', ...type, '-p', '{"a":1}', url('telemetry'))).toBe(shown('4.05'));
    expect(await coap('delete', ...type, url('telemetry'))).toBe(shown('4.05'));
  });
});

describe('coap-cli', () => {
  it('answers a command', async () => {
    const command = await gateway.server.persistentCommand(device.id, 'do', { pin: 1 });
    expect(await coap('post', '-p', '{"done":true}', url('rpc/0'))).toBe(shown('2.01'));
    await gateway.commandBecomes(command, 'SUCCESSFUL');
  });

  it.each(['1', '2', '4', '6'])('downloads 5 kB in blocks of size exponent %s', async (exponent) => {
    const value = text(5_000);
    await gateway.server.share(device.id, { value });
    expect(await coap('get', '-q', '-b', exponent, url('attributes'))).toBe(JSON.stringify({ shared: { value } }));
  });

  it('downloads 20 kB without asking for blocks', async () => {
    const value = text(20_000);
    await gateway.server.share(device.id, { value });
    // It writes a line end after each 16 kB.
    const written = (await coap('get', '-q', url('attributes'))).replaceAll('\n', '');
    expect(written).toBe(JSON.stringify({ shared: { value } }));
  });
});
