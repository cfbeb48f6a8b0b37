import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { systemClock, systemRandom } from '@tandem/core';
import { TestGateway } from '../testing/test-gateway';
import type { CoapReply } from './client-message';
import { CoapClient, CoapFailure, type Observation } from './coap-client';

const clients: CoapClient[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function clientAt(port: number, ackTimeout?: number): Promise<CoapClient> {
  const client = await CoapClient.open({
    host: 'localhost',
    port,
    clock: systemClock,
    random: systemRandom,
    ackTimeout,
  });
  clients.push(client);
  return client;
}

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const at = (token: string, ...rest: string[]) => ({ path: ['api', 'v1', token, ...rest] });

/** What an observer has heard, and the next of it. */
class Heard {
  readonly #replies: CoapReply[] = [];
  #waiting: ((reply: CoapReply) => void) | undefined;

  notified(reply: CoapReply): void {
    if (this.#waiting) this.#waiting(reply);
    else this.#replies.push(reply);
    this.#waiting = undefined;
  }

  next(): Promise<CoapReply> {
    const reply = this.#replies.shift();
    if (reply) return Promise.resolve(reply);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }
}

describe.each(['off', 'on'])('A client at a gateway with COAP_ECHO=%s', (COAP_ECHO) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start({ settings: { COAP_ECHO } });
  });
  afterAll(() => gateway.stop());

  it('sends telemetry and attributes, and reads these', async () => {
    const { token } = await gateway.device();
    const client = await clientAt(gateway.transport.port);
    const body = { method: 'POST', payload: json({ a: 1 }), contentFormat: 50 } as const;
    expect(await client.request({ ...at(token, 'telemetry'), ...body })).toMatchObject({ code: '2.01' });
    expect(await client.request({ ...at(token, 'attributes'), ...body })).toMatchObject({ code: '2.01' });
    const read = await client.request({ ...at(token, 'attributes'), method: 'GET', query: ['clientKeys=a'] });
    expect(read).toMatchObject({ code: '2.05' });
    expect(String(read.payload)).toBe('{"client":{"a":1}}');
    expect(await client.request({ ...at('no-such-token', 'telemetry'), ...body })).toMatchObject({ code: '4.01' });
  });

  it('sends and reads in blocks what is long', async () => {
    const { token } = await gateway.device();
    const client = await clientAt(gateway.transport.port);
    const long = 'x'.repeat(5_000);
    const body = { method: 'POST', payload: json({ long }) } as const;
    expect(await client.request({ ...at(token, 'attributes'), ...body })).toMatchObject({ code: '2.01' });
    const read = await client.request({ ...at(token, 'attributes'), method: 'GET' });
    expect(String(read.payload)).toBe(JSON.stringify({ client: { long } }));
  });

  it('hears of changes, whole and in order, until it ends the observation', async () => {
    const device = await gateway.device();
    const client = await clientAt(gateway.transport.port);
    const heard = new Heard();
    const observation: Observation = await client.observe({ ...at(device.token, 'attributes'), method: 'GET' }, heard);
    expect(observation.first).toMatchObject({ code: '2.05', observe: expect.any(Number) });
    const long = 'y'.repeat(3_000);
    await gateway.share(device, { long: JSON.stringify(long) });
    expect(String((await heard.next()).payload)).toBe(JSON.stringify({ long }));
    expect(String((await observation.refresh()).payload)).toBe(JSON.stringify({ long }));
    await gateway.share(device, { short: '1' });
    expect(String((await heard.next()).payload)).toBe('{"short":1}');
    await observation.cancel();
    expect([...gateway.transport.observations()]).toEqual([]);
  });
});

describe('A client', () => {
  let server: Socket;
  let port: number;
  beforeEach(async () => {
    server = createSocket('udp4').bind(0, '127.0.0.1');
    await once(server, 'listening');
    port = server.address().port;
  });
  afterEach(() => void server.close());

  const arrived = async (): Promise<{ datagram: Buffer; answer: (bytes: number[], after?: Buffer) => void }> => {
    const [datagram, source] = (await once(server, 'message')) as [Buffer, { address: string; port: number }];
    return { datagram, answer: (bytes) => server.send(Buffer.from(bytes), source.port, source.address) };
  };
  const get = { method: 'GET', path: ['x'] } as const;

  it('repeats a request until it is acknowledged, and waits for a response that comes later', async () => {
    const client = await clientAt(port, 20);
    const reply = client.request(get);
    const first = await arrived();
    const again = await arrived();
    expect(again.datagram).toEqual(first.datagram);
    const id = [...first.datagram.subarray(2, 4)];
    again.answer([0x60, 0, ...id]);
    again.answer([0x44, 0x45, 0x12, 0x34, ...first.datagram.subarray(4, 8), 0xff, 0x6f, 0x6b]);
    expect(String((await reply).payload)).toBe('ok');
    // Another repetition may have been on its way.
    let answered = await arrived();
    while (answered.datagram.length > 4) answered = await arrived();
    expect(answered.datagram).toEqual(Buffer.from([0x60, 0, 0x12, 0x34]));
  });

  it('gives up a server that never answers', async () => {
    const client = await clientAt(port, 2);
    await expect(client.request(get)).rejects.toEqual(new CoapFailure('does not answer'));
  });

  it('says so when a request is reset', async () => {
    const client = await clientAt(port);
    const refused = expect(client.request(get)).rejects.toThrow('resets the request');
    const { datagram, answer } = await arrived();
    answer([0x70, 0, ...datagram.subarray(2, 4)]);
    await refused;
  });

  it('says that nobody has the port, and that nobody knows the host', async () => {
    const free = createSocket('udp4').bind(0, '127.0.0.1');
    await once(free, 'listening');
    const { port: closed } = free.address();
    free.close();
    await once(free, 'close');
    const client = await clientAt(closed);
    await expect(client.request(get)).rejects.toThrow('does not listen there');
    const nowhere = CoapClient.open({ host: 'no.such.host.invalid', port, clock: systemClock, random: systemRandom });
    await expect(nowhere).rejects.toThrow('is not known');
  });

  it('resets what it has not asked for', async () => {
    const client = await clientAt(port);
    const reply = client.request(get);
    const { datagram, answer } = await arrived();
    answer([0x44, 0x45, 0x43, 0x21, 1, 2, 3, 4]);
    expect((await arrived()).datagram).toEqual(Buffer.from([0x70, 0, 0x43, 0x21]));
    answer([0x64, 0x45, ...datagram.subarray(2, 8)]);
    expect((await reply).code).toBe('2.05');
  });
});
