import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import type { ClientRpcBackend } from '@tandem/core';
import { type TestDevice, TestGateway, until } from './testing/test-gateway';

const run = promisify(execFile);
const backend: ClientRpcBackend = {
  call: () => new Promise((resolve) => setTimeout(() => resolve('{"late":true}'), 300)),
};

let gateway: TestGateway;
let device: TestDevice;
beforeAll(async () => {
  gateway = await TestGateway.start({ settings: { COAP_PIGGYBACK_TIMEOUT: '100' }, backend });
});
afterAll(() => gateway.stop());
beforeEach(async () => {
  device = await gateway.device();
});

const url = (feature: string) => `coap://127.0.0.1:${gateway.transport.port}/api/v1/${device.token}/${feature}`;
const client = async (...args: string[]) => {
  const { stdout, stderr } = await run('coap-client-notls', ['-B', '5', ...args]);
  return `${stdout}${stderr}`.trim();
};

describe('the libcoap client', () => {
  it('TV-246: posts telemetry', async () => {
    expect(await client('-m', 'post', '-e', '{"a":1}', url('telemetry'))).toBe('');
    expect(await gateway.stored(device)).toMatchObject({ a: { value: '1' } });
  });

  it('TV-250: is told of a wrong token', async () => {
    expect(await client('-m', 'post', '-e', '{"a":1}', url('telemetry').replace(device.token, 'nope'))).toMatch(
      /^4\.01/,
    );
  });

  it('TV-263: reads the attributes it names', async () => {
    await client('-m', 'post', '-e', '{"attribute1":"value1","b":2}', url('attributes'));
    expect(await client('-m', 'get', `${url('attributes')}?clientKeys=attribute1`)).toBe(
      '{"client":{"attribute1":"value1"}}',
    );
  });

  it('TV-276: waits for a separate reply', async () => {
    expect(await client('-m', 'post', '-e', '{"method":"slow"}', url('rpc'))).toBe('{"late":true}');
  });

  it.each([[], ['-N']])('TV-287 to 290: observes attributes and ends its observation (%s)', async (...type) => {
    const observer = observe('attributes', ...type);
    await until(() => observer.output().includes('{}'));
    await gateway.share(device, { x: '1' });
    await until(() => observer.output().includes('{"x":1}'));
    await gateway.unshare(device, 'x');
    await until(() => observer.output().includes('{"deleted":["x"]}'));
    await observer.exited;
    expect(gateway.observations).toBe(0);
  });

  it('TV-294, TV-295: gets its commands and replies', async () => {
    const pending = await gateway.command(device, { method: 'before' });
    const observer = observe('rpc');
    await until(() => observer.output().includes('{"id":0,"method":"before","params":{}}'));
    const later = await gateway.command(device, { method: 'later', oneway: true });
    await until(() => observer.output().includes('{"id":1,"method":"later","params":{}}'));
    await gateway.becomes(pending, 'DELIVERED');
    expect(await later.outcome).toEqual({ kind: 'handed-over' });
    await client('-m', 'post', '-e', '{"result":"ok"}', url('rpc/0'));
    expect(await pending.outcome).toMatchObject({ kind: 'answered', response: '{"result":"ok"}' });
    await observer.exited;
    expect(gateway.observations).toBe(0);
  });

  it('TV-302: sees the end of its observation when the device is deleted', async () => {
    const observer = observe('attributes', '-v', '7');
    await until(() => gateway.observations === 1);
    await gateway.remove(device);
    await until(() => /2\.02/.test(observer.output()));
    expect(gateway.observations).toBe(0);
    observer.process.kill();
    await observer.exited;
  });
});

/** Observes for two seconds, then deregisters. */
function observe(feature: string, ...args: string[]) {
  const process: ChildProcess = spawn('coap-client-notls', ['-s', '2', ...args, '-m', 'get', url(feature)]);
  let output = '';
  const collect = (data: Buffer) => {
    output += data;
  };
  process.stdout?.on('data', collect);
  process.stderr?.on('data', collect);
  return { process, output: () => output, exited: once(process, 'exit') };
}
