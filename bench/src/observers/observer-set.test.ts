import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { generate, type ParsedPacket, parse } from 'coap-packet';
import { ObserverSet } from './observer-set';

const DEVICES = ['one', 'two', 'three'];

interface Seen {
  readonly packet: ParsedPacket;
  readonly from: RemoteInfo;
}

/** A server that accepts every observation, unless told otherwise, and notifies when a test says so. */
class Server {
  readonly requests: Seen[] = [];
  readonly acknowledged: Seen[] = [];
  accepts = true;

  private constructor(private readonly socket: Socket) {
    socket.on('message', (datagram, from) => this.#received({ packet: parse(datagram), from }));
  }

  static async start(): Promise<Server> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new Server(socket);
  }

  get port(): number {
    return this.socket.address().port;
  }

  get observers(): Seen[] {
    return this.requests.filter(({ packet }) => packet.options.some(({ name }) => name === 'Observe'));
  }

  get ports(): Set<number> {
    return new Set(this.requests.map(({ from }) => from.port));
  }

  notify({ packet, from }: Seen, messageId: number, payload: string): void {
    const options = [{ name: 'Observe' as const, value: Buffer.of(1) }];
    const { token } = packet;
    const datagram = generate({
      confirmable: true,
      code: '2.05',
      messageId,
      token,
      options,
      payload: Buffer.from(payload),
    });
    this.socket.send(datagram, from.port, from.address);
  }

  close(): void {
    this.socket.close();
  }

  #received(seen: Seen): void {
    const { packet, from } = seen;
    if (packet.ack) {
      this.acknowledged.push(seen);
      return;
    }
    this.requests.push(seen);
    const observe = packet.options.filter(({ name }) => name === 'Observe');
    const { messageId, token } = packet;
    const options = this.accepts ? observe : [];
    this.socket.send(generate({ ack: true, code: '2.05', messageId, token, options }), from.port, from.address);
  }
}

let server: Server;
let observers: ObserverSet;

beforeEach(async () => {
  server = await Server.start();
  observers = new ObserverSet({ host: '127.0.0.1', port: server.port, source: '127.0.0.2', tokens: DEVICES });
});

afterEach(() => {
  observers.close();
  server.close();
});

const pathOf = ({ packet }: Seen): string =>
  packet.options
    .filter(({ name }) => name === 'Uri-Path')
    .map(({ value }) => value.toString())
    .join('/');

describe('a set of observers', () => {
  it('observes each device from a port of its own, at the address it was given', async () => {
    await observers.register();
    expect(server.observers.map(pathOf).sort()).toEqual(DEVICES.map((token) => `api/v1/${token}/attributes`).sort());
    expect(server.ports.size).toBe(DEVICES.length);
    expect(new Set(server.requests.map(({ from }) => from.address))).toEqual(new Set(['127.0.0.2']));
  });

  it('fails when the server answers without taking it as an observer', async () => {
    server.accepts = false;
    await expect(observers.register()).rejects.toThrow('an observation was not accepted: 2.05, no Observe option');
  });

  it('reads every device as often as told, and observes nothing by that', async () => {
    await observers.read(2);
    expect(server.requests.map(pathOf).sort()).toEqual(
      [...DEVICES, ...DEVICES].map((token) => `api/v1/${token}/attributes`).sort(),
    );
    expect(server.observers).toEqual([]);
  });

  it('acknowledges every notification and says when the last one was told', async () => {
    await observers.register();
    observers.expect('{"k":1}');
    for (const [index, observer] of server.observers.entries()) server.notify(observer, 100 + index, '{"k":1}');
    const { notified, surplus, lastMicros } = await observers.outcome();
    expect({ notified, surplus }).toEqual({ notified: DEVICES.length, surplus: 0 });
    expect(lastMicros).toBeGreaterThan(0);
    while (server.acknowledged.length < DEVICES.length) await new Promise(setImmediate);
    expect(server.acknowledged.map(({ packet }) => packet.messageId).sort()).toEqual([100, 101, 102]);
  });

  it('tells a repetition and a stale value from what it waits for', async () => {
    await observers.register();
    observers.expect('{"k":2}');
    const [first, second, third] = server.observers;
    if (!first || !second || !third) throw new Error('three observers were to be there');
    server.notify(first, 1, '{"k":1}');
    server.notify(first, 2, '{"k":2}');
    server.notify(first, 2, '{"k":2}');
    while (server.acknowledged.length < 3) await new Promise(setImmediate);
    server.notify(second, 3, '{"k":2}');
    server.notify(third, 4, '{"k":2}');
    expect(await observers.outcome()).toMatchObject({ notified: 3, surplus: 2 });
  });
});
