import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
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

async function freeTcpPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}
