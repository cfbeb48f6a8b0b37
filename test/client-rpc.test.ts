import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CoapDevice } from './support/coap-device';
import { cleanUp, GatewayProcess } from './support/gateway-process';
import { HttpDevice } from './support/http-device';
import { ServerClient } from './support/server-client';

type Handler = (response: ServerResponse, request: IncomingMessage, body: string) => void;

/** What devices ask arrives here; each test says how it is answered. */
class Webhook {
  handle: Handler = (response) => response.end('{}');
  readonly #server: Server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    this.handle(response, request, body);
  });

  async start(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    return closed;
  }
}

const webhook = new Webhook();
let gateway: GatewayProcess;
let id: string;
let http: HttpDevice;
let coap: CoapDevice;

beforeAll(async () => {
  const port = await webhook.start();
  gateway = await GatewayProcess.start({
    TANDEM_RPC_WEBHOOK_URL: `http://us%20er:pass@127.0.0.1:${port}/rpc?of=tandem`,
    CLIENT_SIDE_RPC_TIMEOUT: '700',
  });
  id = await (await ServerClient.login(gateway.http)).createDevice('asking', 'Oven "7"');
  http = new HttpDevice(gateway.http, 'asking');
  coap = await CoapDevice.open(gateway.coap, 'asking');
});

afterAll(async () => {
  coap.close();
  await cleanUp();
  await webhook.stop();
});

const CALL = '{"method":"m","params":{}}';

describe('What a device asks', () => {
  it('is the time: the gateway answers itself', async () => {
    const before = Date.now();
    const overHttp = await http.post('rpc', '{"method":"getTime","params":{}}');
    const overCoap = await coap.post('rpc', '{"method":"getTime"}');
    for (const { text } of [overHttp, overCoap]) {
      const { time } = JSON.parse(text) as { time: string };
      expect(Date.parse(time)).toBeGreaterThanOrEqual(before);
      expect(new Date(time).toISOString()).toBe(time);
    }
  });

  it('goes to the webhook as it was written, and the reply comes back as it was written', async () => {
    const calls: string[] = [];
    webhook.handle = (response, { method, url, headers }, body) => {
      calls.push(`${method} ${url} ${headers['content-type']} ${headers.authorization}`, body);
      response.end('{"limit":250.0, "n":12345678901234567890}');
    };
    const reply = '{"limit":250.0, "n":12345678901234567890}';
    const params = '{"a":42.0,"big":9007199254740993}';
    expect(await http.post('rpc', `{"method":"add \\"x\\"","params":${params}}`)).toMatchObject({
      status: 200,
      text: reply,
    });
    expect(await coap.post('rpc', '{"method":"now"}')).toMatchObject({ code: '2.05', text: reply });
    const basic = `Basic ${Buffer.from('us er:pass').toString('base64')}`;
    const sent = `"deviceId":"${id}","deviceName":"Oven \\"7\\"","deviceType":"thermostat"`;
    expect(calls).toEqual([
      `POST /rpc?of=tandem application/json ${basic}`,
      `{${sent},"method":"add \\"x\\"","params":${params}}`,
      `POST /rpc?of=tandem application/json ${basic}`,
      `{${sent},"method":"now","params":null}`,
    ]);
  });

  it('gets an error where the webhook fails', async () => {
    const failures: Array<[string, Handler]> = [
      ['Webhook answered 500', (response) => response.writeHead(500).end('{"secret":1}')],
      ['no such oven: "7"', (response) => response.writeHead(404).end('{"error":"no such oven: \\"7\\""}')],
      ['Webhook answered 500', (response) => response.writeHead(500).end('{"error":5}')],
      ['Webhook answered 500', (response) => response.writeHead(500).end('null')],
      ['Webhook answered 404', (response) => response.writeHead(404).end('x'.repeat(1_000_000))],
      ['Webhook answered 307', (response) => response.writeHead(307, { location: '/elsewhere' }).end()],
      ['Webhook did not answer with JSON', (response) => response.end('<html>')],
      ['Webhook did not answer with JSON', (response) => response.writeHead(204).end()],
      ['Webhook answered with too much', (response) => response.end(`"${'x'.repeat(65_535)}"`)],
      ['Webhook is out of reach', (response) => response.destroy()],
      ['Webhook is out of reach', (response) => response.writeHead(200).write('{', () => response.destroy())],
    ];
    for (const [error, handler] of failures) {
      webhook.handle = handler;
      expect(await http.post('rpc', CALL)).toMatchObject({ status: 200, text: JSON.stringify({ error }) });
      expect(await coap.post('rpc', CALL)).toMatchObject({ code: '2.05', text: JSON.stringify({ error }) });
    }
  });

  it('gets the largest reply that is allowed', async () => {
    const largest = `"${'x'.repeat(65_534)}"`;
    webhook.handle = (response) => response.end(largest);
    expect((await http.post('rpc', CALL)).text).toBe(largest);
  });

  it('times out where the webhook is slow, and the webhook sees that nobody waits', async () => {
    const gone: Array<Promise<unknown>> = [];
    webhook.handle = (response) => void gone.push(once(response, 'close'));
    expect(await http.post('rpc', CALL)).toMatchObject({ status: 408, text: '' });
    expect(await coap.post('rpc', CALL)).toMatchObject({ code: '5.04', text: '' });
    expect(gone).toHaveLength(2);
    await Promise.all(gone);
    await gateway.settled('tandem_client_rpcs_waiting', 0);
  });
});

describe('Where a device has its share of calls waiting', () => {
  it('further ones are refused over either protocol, and those of another device are not', async () => {
    const slow = new Webhook();
    const held: ServerResponse[] = [];
    slow.handle = (response) => void held.push(response);
    const other = await GatewayProcess.start({
      TANDEM_RPC_WEBHOOK_URL: `http://127.0.0.1:${await slow.start()}/`,
      TANDEM_RPC_MAX_WAITING_PER_DEVICE: '2',
    });
    const server = await ServerClient.login(other.http);
    for (const token of ['greedy', 'modest']) await server.createDevice(token);
    const greedy = { http: new HttpDevice(other.http, 'greedy'), coap: await CoapDevice.open(other.coap, 'greedy') };
    const waiting = [greedy.http.post('rpc', CALL), greedy.coap.post('rpc', CALL)];
    await other.settled('tandem_client_rpcs_waiting', 2);
    expect((await greedy.http.post('rpc', CALL)).status).toBe(429);
    expect((await greedy.coap.post('rpc', CALL)).code).toBe('4.29');
    const modest = new HttpDevice(other.http, 'modest').post('rpc', CALL);
    await other.settled('tandem_client_rpcs_waiting', 3);
    while (held.length < 3) await new Promise(setImmediate);
    for (const response of held) response.end('{}');
    expect((await modest).text).toBe('{}');
    await Promise.all(waiting);
    greedy.coap.close();
    await other.stop();
    await slow.stop();
  });
});

describe('Where no webhook can be reached', () => {
  it('the device is told', async () => {
    const dead = new Webhook();
    const port = await dead.start();
    await dead.stop();
    const other = await GatewayProcess.start({ TANDEM_RPC_WEBHOOK_URL: `http://127.0.0.1:${port}/` });
    await (await ServerClient.login(other.http)).createDevice('asking');
    const answer = await new HttpDevice(other.http, 'asking').post('rpc', CALL);
    expect(answer).toMatchObject({ status: 200, text: '{"error":"Webhook is out of reach"}' });
    await other.stop();
  });
});
