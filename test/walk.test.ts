import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { type EventEmitter, once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
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

/** Below those that the system gives to whoever connects: nobody gets it between this and the start of the gateway. */
function somePort(): number {
  return randomInt(15_000, 32_000);
}

async function freeTcpPort(): Promise<number> {
  const server = createServer();
  for (;;) {
    const port = somePort();
    server.listen(port);
    if (!(await isBound(server))) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

async function freeUdpPort(): Promise<number> {
  for (;;) {
    const socket = createSocket('udp4');
    const port = somePort();
    socket.bind(port);
    if (!(await isBound(socket))) continue;
    socket.close();
    await once(socket, 'close');
    return port;
  }
}

const isBound = (socket: EventEmitter): Promise<boolean> =>
  once(socket, 'listening').then(
    () => true,
    () => false,
  );
