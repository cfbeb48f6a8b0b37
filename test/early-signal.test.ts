import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanUp, GatewayProcess, temporaryFolder } from './support/gateway-process';

afterAll(cleanUp);

describe('A gateway that is told to stop while it is still being loaded', () => {
  it('has heard it, and ends in good order', async () => {
    const hook = join(temporaryFolder(), 'stop-early.cjs');
    writeFileSync(
      hook,
      `const Module = require('node:module');
       const load = Module._load;
       Module._load = function (request, ...rest) {
         if (request.endsWith('/cli.js')) process.kill(process.pid, 'SIGTERM');
         return load.call(this, request, ...rest);
       };`,
    );
    const gateway = GatewayProcess.launch({ NODE_OPTIONS: `--require ${hook}` });
    expect(await gateway.exit).toEqual({ code: 0, signal: null });
    expect(gateway.log.map(({ message }) => message)).toContain('stopped');
  });
});
