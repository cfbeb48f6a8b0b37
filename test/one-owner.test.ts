import { cleanUp, GatewayProcess } from './support/gateway-process';
import { HttpDevice } from './support/http-device';
import { ServerClient } from './support/server-client';

let first: GatewayProcess;
beforeAll(async () => {
  first = await GatewayProcess.start();
});
afterAll(cleanUp);

/** A second one that must not come up: what it says, and that the first one is still serving. */
async function refused(settings: Record<string, string>, folder?: string): Promise<string[]> {
  const second = GatewayProcess.launch(settings, folder);
  expect(await second.exit).toEqual({ code: 1, signal: null });
  expect(second.log.map(({ message }) => message)).not.toContain('ready');
  const server = await ServerClient.login(first.http);
  const token = `token-${Object.keys(settings).join('-')}`;
  await server.createDevice(token);
  expect((await new HttpDevice(first.http, token).post('telemetry', '{"t":1}')).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${first.metrics}/readyz`)).status).toBe(200);
  return second.stderrLines;
}

describe('A second process', () => {
  it('on the same data folder says so in one line and leaves the first alone', async () => {
    expect(await refused({}, first.folder)).toEqual([
      `tandem: Data folder ${first.folder} is in use by another process (TANDEM_DATA_DIR)`,
    ]);
  });

  it('on the same HTTP port names the port and the setting', async () => {
    const port = String(first.http);
    const [line, ...more] = await refused({ HTTP_BIND_PORT: port });
    expect(more).toEqual([]);
    expect(line).toContain(port);
    expect(line).toContain('HTTP_BIND_PORT');
    expect(line).toContain('in use');
  });

  it('on the same CoAP port names the port and the setting', async () => {
    const port = String(first.coap);
    const [line, ...more] = await refused({ COAP_BIND_PORT: port });
    expect(more).toEqual([]);
    expect(line).toContain(port);
    expect(line).toContain('COAP_BIND_PORT');
    expect(line).toContain('in use');
  });

  it('on the same metrics port names the port and the setting', async () => {
    const port = String(first.metrics);
    const [line, ...more] = await refused({ TANDEM_METRICS_PORT: port });
    expect(more).toEqual([]);
    expect(line).toContain(port);
    expect(line).toContain('TANDEM_METRICS_PORT');
    expect(line).toContain('in use');
  });
});

describe('A data folder that cannot be made', () => {
  it('is named in one line with its setting', async () => {
    const gateway = GatewayProcess.launch({ TANDEM_DATA_DIR: '/proc/version/data' });
    expect(await gateway.exit).toEqual({ code: 1, signal: null });
    expect(gateway.stderrLines).toHaveLength(1);
    expect(gateway.stderr).toContain('/proc/version/data');
    expect(gateway.stderr).toContain('TANDEM_DATA_DIR');
  });
});
