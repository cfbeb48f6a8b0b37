import { join } from 'node:path';
import { CoapDevice } from './support/coap-device';
import { cleanUp, GatewayProcess, temporaryFolderOnDisk } from './support/gateway-process';
import { HttpDevice } from './support/http-device';
import { type Point, ServerClient } from './support/server-client';

afterAll(cleanUp);

const LONG_LIFE = 600_000;

describe.each(['SIGTERM', 'SIGKILL'] as const)('After %s and a new start', (signal) => {
  it('devices, credentials, attributes, telemetry, pending commands and the place of a poll are all there', async () => {
    const gateway = await GatewayProcess.start();
    let server = await ServerClient.login(gateway.http);
    const id = await server.createDevice('restart');
    const made = await server.createDevice('');
    const madeToken = await server.tokenOf(made);
    const device = new HttpDevice(gateway.http, 'restart');
    await device.post('attributes', '{"client":42.0}');
    await server.share(id, { shared: 1 });
    await device.post('telemetry', '{"ts":1700000000000,"values":{"t":21.50}}');
    const persistent = { method: 'later', params: { n: 1.0 }, persistent: true, timeout: LONG_LIFE };
    const rpcId = (JSON.parse((await server.command('twoway', id, persistent)).text) as { rpcId: string }).rpcId;
    // A poll that ended leaves the place from which the next one goes on.
    expect((await device.poll('attributes/updates', 1)).status).toBe(408);
    await server.share(id, { missed: 'while no poll was open' });
    await gateway.stop(signal);

    const again = await gateway.again();
    server = await ServerClient.login(again.http);
    const restarted = new HttpDevice(again.http, 'restart');
    expect(await server.tokenOf(made)).toBe(madeToken);
    expect((await new HttpDevice(again.http, madeToken).get('attributes')).status).toBe(200);
    expect((await restarted.get('attributes?clientKeys=client&sharedKeys=shared')).text).toBe(
      '{"client":{"client":42.0},"shared":{"shared":1}}',
    );
    expect((await restarted.poll('attributes/updates')).text).toBe('{"missed":"while no poll was open"}');
    expect(await allOf(server, id, 't', 1)).toEqual([{ ts: 1_700_000_000_000, value: '21.5' }]);
    expect((await restarted.poll('rpc')).text).toMatch(/^\{"id":0,"method":"later","params":\{"n":1(\.0)?\}\}$/);
    await restarted.post('rpc/0', '{"done":true}');
    const rpc = await server.send('GET', `/api/rpc/persistent/${rpcId}`);
    expect(JSON.parse(rpc.text)).toMatchObject({ status: 'SUCCESSFUL', response: { done: true } });
    await again.stop();
  });
});

describe('kill -9 under load over both protocols', () => {
  it('loses no acknowledged message and keeps none twice', async () => {
    const gateway = await GatewayProcess.start({}, join(temporaryFolderOnDisk(), 'data'));
    const server = await ServerClient.login(gateway.http);
    const ids = [await server.createDevice('http-load'), await server.createDevice('coap-load')];
    const http = new HttpDevice(gateway.http, 'http-load');
    const coap = await CoapDevice.open(gateway.coap, 'coap-load');
    const overHttp = new Load(async (message) => (await http.post('telemetry', message)).status === 200);
    const overCoap = new Load(async (message) => (await coap.post('telemetry', message)).code === '2.01');
    await Promise.all([overHttp.begin(8), overCoap.begin(8)]);
    gateway.kill('SIGKILL');
    expect(await gateway.exit).toEqual({ code: null, signal: 'SIGKILL' });
    overHttp.end();
    overCoap.end();
    coap.close();

    const again = await gateway.again();
    const restarted = await ServerClient.login(again.http);
    for (const [index, load] of [overHttp, overCoap].entries()) {
      const stored = await allOf(restarted, ids[index] ?? '', 'n', load.acknowledged.size);
      const numbers = stored.map(({ ts, value }) => {
        expect(ts).toBe(Load.START + Number(value));
        return Number(value);
      });
      expect(new Set(numbers).size).toBe(numbers.length);
      expect([...load.acknowledged].filter((number) => !numbers.includes(number))).toEqual([]);
      // What was sent and never acknowledged may be there, and nothing else.
      expect(numbers.filter((number) => number >= load.sent)).toEqual([]);
    }
    await again.stop();
  });
});

/** Numbered messages, each with a time stamp of its own, from several senders at once. */
class Load {
  static readonly START = 1_700_000_000_000;
  readonly acknowledged = new Set<number>();
  sent = 0;
  #over = false;

  constructor(private readonly post: (message: string) => Promise<boolean>) {}

  /** Resolves in the middle of the load, when so many messages have been acknowledged that the death hurts. */
  async begin(senders: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const send = async () => {
        while (!this.#over) {
          const number = this.sent++;
          const message = `{"ts":${Load.START + number},"values":{"n":${number}}}`;
          if (await this.post(message)) this.acknowledged.add(number);
          if (this.acknowledged.size >= 500) resolve();
        }
      };
      for (let i = 0; i < senders; i++) send().catch(() => {});
    });
  }

  end(): void {
    this.#over = true;
  }
}

/** The view follows the log: asked again until it has at least so many points. */
async function allOf(server: ServerClient, deviceId: string, key: string, count: number): Promise<Point[]> {
  for (;;) {
    const points = await server.history(deviceId, key);
    if (points.length >= count) return points;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
