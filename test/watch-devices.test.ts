import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ADMIN_EMAIL, ADMIN_PASSWORD, cleanUp, GatewayProcess, ROOT } from './support/gateway-process';
import { HttpDevice } from './support/http-device';
import { ServerClient } from './support/server-client';

interface Line {
  readonly device: string;
  readonly what: 'telemetry' | 'attributes';
  readonly data?: Readonly<Record<string, readonly (readonly [number, string])[]>>;
  readonly error?: string;
}

/** The program of examples/watch-devices. */
class Watcher {
  readonly #child: ChildProcess;
  #text = '';
  #look = () => {};

  constructor(port: number, devices: readonly string[]) {
    const program = join(ROOT, 'examples', 'watch-devices', 'watch.mjs');
    this.#child = spawn(process.execPath, [program, ...devices], {
      env: {
        PATH: process.env.PATH,
        TANDEM_URL: `http://127.0.0.1:${port}`,
        TANDEM_USER: ADMIN_EMAIL,
        TANDEM_PASSWORD: ADMIN_PASSWORD,
      },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#text += text;
      this.#look();
    });
  }

  get lines(): Line[] {
    const whole = this.#text.slice(0, this.#text.lastIndexOf('\n') + 1);
    return whole
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Line);
  }

  /** Resolves with the first line that fits. */
  line(fits: (line: Line) => boolean): Promise<Line> {
    return new Promise((resolve) => {
      this.#look = () => {
        const found = this.lines.find(fits);
        if (found) resolve(found);
      };
      this.#look();
    });
  }

  async end(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}

afterAll(cleanUp);

it('the example of the guide shows the state of devices, what they send, and goes on after the gateway was killed', async () => {
  const settings = { HTTP_BIND_PORT: '0' };
  const gateway = await GatewayProcess.start(settings);
  const server = await ServerClient.login(gateway.http);
  const [one, other] = [await server.createDevice('one'), await server.createDevice('other')];
  const absent = '00000000-0000-4000-8000-000000000000';
  const watcher = new Watcher(gateway.http, [one, other, absent]);
  const shows = (device: string, key: string, value: string) => (line: Line) =>
    line.device === device && line.data?.[key]?.at(-1)?.[1] === value;
  await watcher.line(({ device, what, data }) => device === one && what === 'telemetry' && data !== undefined);
  await watcher.line(({ device, error }) => device === absent && error === "Device with requested id wasn't found!");
  await new HttpDevice(gateway.http, 'one').post('telemetry', '{"temperature":42.0}');
  expect(await watcher.line(shows(one, 'temperature', '42.0'))).toMatchObject({ what: 'telemetry' });
  await server.share(other, '{"target":21}');
  expect(await watcher.line(shows(other, 'target', '21'))).toMatchObject({ what: 'attributes' });

  gateway.kill('SIGKILL');
  await gateway.exit;
  const again = await gateway.again({ HTTP_BIND_PORT: String(gateway.http) });
  await new HttpDevice(again.http, 'one').post('telemetry', '{"temperature":43.0}');
  await watcher.line(shows(one, 'temperature', '43.0'));
  await watcher.end();
  await again.stop();
});
