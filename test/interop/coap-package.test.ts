import { once } from 'node:events';
import { Agent, request as coapRequest, type IncomingMessage, type ObserveReadStream } from 'coap';
import type { CoapMethod } from 'coap-packet';
import { eventually } from '../support/eventually';
import { type InteropDevice, InteropGateway, text, WEBHOOK_REPLY } from './interop-gateway';

let gateway: InteropGateway;
let device: InteropDevice;
let agent: Agent;
beforeAll(async () => {
  gateway = await InteropGateway.start();
});
afterAll(() => gateway.stop());
beforeEach(async () => {
  agent = new Agent({ type: 'udp4' });
  device = await gateway.device();
});
afterEach(async () => {
  agent.close();
  await gateway.remove(device);
});

interface Asked {
  readonly method?: CoapMethod;
  readonly query?: string;
  readonly confirmable?: boolean;
  readonly observe?: boolean;
  /** The value of the option in the request, as on the wire. */
  readonly block1?: number;
  readonly block2?: number;
  readonly body?: string;
}

async function open(feature: string, asked: Asked = {}): Promise<IncomingMessage | ObserveReadStream> {
  const { method = 'GET', query, confirmable = true, observe, block1, block2, body } = asked;
  const pathname = `/api/v1/${device.token}/${feature}`;
  const { coap: port } = gateway.process;
  const outgoing = coapRequest({ hostname: '127.0.0.1', port, pathname, query, method, confirmable, observe, agent });
  if (block1 !== undefined) outgoing.setOption('Block1', Buffer.from([block1]));
  if (block2 !== undefined) outgoing.setOption('Block2', Buffer.from([block2]));
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage | ObserveReadStream];
  return response;
}

/** The code and the payload, such as `2.05 {"a":1}`. */
async function ask(feature: string, asked?: Asked): Promise<string> {
  const response = await open(feature, asked);
  return `${response.code} ${response.payload}`.trim();
}

async function observe(feature: string, confirmable: boolean) {
  const stream = (await open(feature, { observe: true, confirmable })) as ObserveReadStream;
  const heard: string[] = [];
  stream.on('data', (payload: Buffer) => heard.push(payload.toString()));
  const hears = (wanted: string) => eventually(() => (heard.includes(wanted) ? undefined : `heard ${heard}`));
  return { stream, heard, hears };
}

const TYPES: [string, boolean][] = [
  ['Confirmable', true],
  ['Non-confirmable', false],
];

describe.each(TYPES)('The client of the coap package with %s messages', (_, confirmable) => {
  it('posts telemetry', async () => {
    expect(await ask('telemetry', { method: 'POST', body: '{"a":1}', confirmable })).toBe('2.01');
    await gateway.stored(device, { a: '1' });
  });

  it('reads the attributes it names', async () => {
    await ask('attributes', { method: 'POST', body: '{"mine":1,"other":2}', confirmable });
    expect(await ask('attributes', { query: 'clientKeys=mine', confirmable })).toBe('2.05 {"client":{"mine":1}}');
  });

  it('waits for the separate answer to a command of its own', async () => {
    expect(await ask('rpc', { method: 'POST', body: '{"method":"ask","params":{}}', confirmable })).toBe(
      `2.05 ${WEBHOOK_REPLY}`,
    );
  });

  it('observes attributes and commands side by side', async () => {
    const attributes = await observe('attributes', confirmable);
    const commands = await observe('rpc', confirmable);
    await gateway.process.observations(2);
    await gateway.server.share(device.id, { x: 1 });
    await gateway.server.persistentCommand(device.id, 'do', 1);
    await attributes.hears('{"x":1}');
    await commands.hears('{"id":0,"method":"do","params":1}');
    expect(attributes.heard).toEqual(['{}', '{"x":1}']);
  });

  it('ends an observation', async () => {
    const { stream } = await observe('attributes', confirmable);
    // With its last stream the client closes its socket: this one keeps it open.
    await observe('rpc', confirmable);
    await gateway.process.observations(2);
    stream.close(true);
    await gateway.process.observations(1);
  });
});

describe('The client of the coap package', () => {
  it.each(['2', '4', '6'])('uploads 20 kB in blocks of size exponent %s', async (exponent) => {
    const value = text(20_000);
    const body = JSON.stringify({ value });
    expect(await ask('telemetry', { method: 'POST', body, block1: Number(exponent) })).toBe('2.01');
    await gateway.stored(device, { value });
  });

  it.each(['2', '4', '6'])('downloads 20 kB in blocks of size exponent %s', async (exponent) => {
    const value = text(20_000);
    await gateway.server.share(device.id, { value });
    expect(await ask('attributes', { block2: Number(exponent) })).toBe(`2.05 ${JSON.stringify({ shared: { value } })}`);
  });

  it('is told 4.01, 4.05 and 4.00', async () => {
    expect(await ask('telemetry', { method: 'PUT', body: '{"a":1}' })).toBe('4.05');
    expect(await ask('telemetry', { method: 'POST', body: '{"a":' })).toBe('4.00');
    await gateway.server.send('DELETE', `/api/device/${device.id}`);
    expect(await ask('telemetry', { method: 'POST', body: '{"a":1}' })).toBe('4.01');
  });
});
