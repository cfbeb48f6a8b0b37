import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { freeTcpPort, freeUdpPort } from './support/free-port';
import { cleanUp, ROOT, temporaryFolder } from './support/gateway-process';

/** Beyond it the walk is killed with all it has started. */
const LONGEST = 45_000;

afterAll(cleanUp);

describe("The README's five minutes", () => {
  it(
    'hold, command by command',
    async () => {
      const [http, metrics] = [await freeTcpPort(), await freeTcpPort()];
      const { code, output } = await walk({
        WALK_HERE: '1',
        HTTP_BIND_PORT: String(http),
        COAP_BIND_PORT: String(await freeUdpPort()),
        TANDEM_METRICS_PORT: String(metrics),
        TANDEM_DATA_DIR: join(temporaryFolder(), 'data'),
      });
      expect(output).toContain('walk: all of it holds');
      expect(code).toBe(0);
    },
    LONGEST + 5_000,
  );
});

function walk(environment: Record<string, string>): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    // TERM goes to the script, whose trap ends the gateway it started.
    const script = execFile(
      'timeout',
      [String(LONGEST / 1000), 'sh', 'test/walk.sh'],
      { cwd: ROOT, env: { PATH: process.env.PATH, ...environment } },
      (_error, stdout, stderr) => resolve({ code: script.exitCode ?? -1, output: stdout + stderr }),
    );
  });
}
