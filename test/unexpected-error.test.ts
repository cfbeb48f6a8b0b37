import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { cleanUp, GatewayProcess, temporaryFolder } from './support/gateway-process';
import { HttpDevice } from './support/http-device';
import { ServerClient } from './support/server-client';

afterAll(cleanUp);

/** What nothing of ours does: fails where nobody catches it, when told to by a signal. */
const FAULT = `process.on('SIGUSR2', () => { throw new Error('nobody expected this'); });`;

describe('An error that nobody expected', () => {
  it.each([1, 2, 3])('ends the process with a line in the log, also in the middle of writes (%i)', async () => {
    const fault = join(temporaryFolder(), 'fault.cjs');
    writeFileSync(fault, FAULT);
    const gateway = await GatewayProcess.start({ NODE_OPTIONS: `--require ${fault}` });
    const server = await ServerClient.login(gateway.http);
    const id = await server.createDevice('unexpected-token');
    const device = new HttpDevice(gateway.http, 'unexpected-token');
    let writing = true;
    let written = 0;
    const write = async () => {
      for (let i = 0; writing; i++) {
        await device.post('attributes', `{"a":${i}}`);
        await server.share(id, { s: i });
        written++;
      }
    };
    // Calls that meet the end of the process fail, as they should.
    const writers = Array.from({ length: 8 }, () => write().catch(() => {}));
    while (written < 40) await setImmediate();
    gateway.kill('SIGUSR2');
    expect(await gateway.exit).toEqual({ code: null, signal: 'SIGKILL' });
    writing = false;
    await Promise.all(writers);
    expect(gateway.log.at(-1)).toMatchObject({ level: 'error', message: 'unexpected error' });
    expect(gateway.log.at(-1)?.error).toContain('nobody expected this');
  });
});
