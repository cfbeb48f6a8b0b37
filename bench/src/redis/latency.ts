import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import {
  longValue,
  MetricsRegistry,
  readSettings,
  type State,
  silentLogger,
  systemClock,
  systemRandom,
} from '@tandem/core';
import { openRedisState, redisBoundsOf } from '@tandem/state-redis';
import { generate, parse } from 'coap-packet';
import { Redis } from 'ioredis';
import { median } from '../measure/median';
import type { GatewayUnderTest } from '../servers/gateway';
import type { Fleet } from './fleet';
import type { RedisProcess } from './redis-process';

/** From a write to its notification, at most so many times a bare publish and receive. */
export const MAX_LATENCY_RATIO = 6;

const ROUNDS = 300;
/** A poll is waiting by then: it has been answered by nothing but its acknowledgement of the connection. */
const POLL_SETTLES_MS = 15;
const CHANNEL = 'bench';

/**
 * Microseconds from a write command of the store, in this process, to the notification that leaves another one: medians,
 * and beside them a bare PUBLISH until it is received, taken in turn with them.
 */
export interface Latencies {
  readonly bare: number;
  readonly coap: number;
  readonly http: number;
}

export async function measureLatency(fleet: Fleet, redis: RedisProcess): Promise<Latencies> {
  const state = await openStore(redis);
  const bare = await BareChannel.open(redis.port);
  const observer = await Observer.register(fleet.coap);
  const taken = { bare: [] as number[], coap: [] as number[], http: [] as number[] };
  try {
    const [observed, polling] = [await deviceOf(state, fleet, 0), await deviceOf(state, fleet, 1)];
    for (let round = 0; round < ROUNDS; round += 1) {
      taken.bare.push(await elapsed(bare.received(), () => bare.publish()));
      taken.coap.push(await elapsed(observer.notified(), () => write(state, observed, round)));
      const poll = pollUpdates(fleet.http, 1);
      await delay(POLL_SETTLES_MS);
      taken.http.push(await elapsed(poll, () => write(state, polling, round)));
    }
  } finally {
    observer.close();
    bare.close();
    await state.close();
  }
  return { bare: median(taken.bare), coap: median(taken.coap), http: median(taken.http) };
}

async function elapsed(arrival: Promise<unknown>, begin: () => void): Promise<number> {
  const begun = performance.now();
  begin();
  await arrival;
  return (performance.now() - begun) * 1000;
}

function write(state: State, deviceId: string, round: number): void {
  void state.attributes.save(deviceId, 'SHARED', [{ key: 'k', value: longValue(round) }], Date.now());
}

async function openStore({ url }: RedisProcess): Promise<State> {
  const settings = readSettings({ REDIS_URL: url });
  if (!settings.REDIS_URL) throw new Error('the bench has no Redis');
  return openRedisState({
    ...redisBoundsOf(settings),
    address: settings.REDIS_URL,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    metrics: new MetricsRegistry(),
  });
}

async function deviceOf(state: State, fleet: Fleet, index: number): Promise<string> {
  const resolved = await state.devices.resolveCredentials(fleet.api.tokens[index] ?? '');
  if (!resolved) throw new Error('the device of the bench is gone');
  return resolved.device.id;
}

/** A publisher and a subscriber: what any notification over Redis costs at least. */
class BareChannel {
  private constructor(
    private readonly publisher: Redis,
    private readonly subscriber: Redis,
  ) {}

  static async open(port: number): Promise<BareChannel> {
    const options = { host: '127.0.0.1', port };
    const channel = new BareChannel(new Redis(options), new Redis(options));
    await channel.subscriber.subscribe(CHANNEL);
    return channel;
  }

  received(): Promise<unknown> {
    return once(this.subscriber, 'message');
  }

  publish(): void {
    void this.publisher.publish(CHANNEL, 'x');
  }

  close(): void {
    this.publisher.disconnect();
    this.subscriber.disconnect();
  }
}

/** Observes the shared attributes of the first device of the bench and acknowledges what is confirmable. */
class Observer {
  private constructor(private readonly socket: Socket) {}

  static async register({ host, coapPort, tokens }: GatewayUnderTest): Promise<Observer> {
    const socket = createSocket('udp4');
    socket.connect(coapPort, host);
    await once(socket, 'connect');
    socket.on('message', (datagram: Buffer) => {
      const { confirmable, messageId } = parse(datagram);
      if (confirmable) socket.send(generate({ ack: true, code: '0.00', messageId }));
    });
    const observer = new Observer(socket);
    const registered = observer.notified();
    const path = ['api', 'v1', tokens[0] ?? '', 'attributes'];
    const options = path.map((segment) => ({ name: 'Uri-Path' as const, value: Buffer.from(segment) }));
    socket.send(
      generate({
        confirmable: true,
        code: 'GET',
        messageId: 1,
        token: Buffer.from('bench'),
        options: [{ name: 'Observe', value: Buffer.alloc(0) }, ...options],
      }),
    );
    await registered;
    return observer;
  }

  /** The next datagram that carries a representation. */
  async notified(): Promise<void> {
    for (;;) {
      const [datagram] = (await once(this.socket, 'message')) as [Buffer];
      if (parse(datagram).code === '2.05') return;
    }
  }

  close(): void {
    this.socket.close();
  }
}

/** Resolves when the next update has arrived at the device with this index. */
function pollUpdates({ host, port, tokens }: GatewayUnderTest, index: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const path = `/api/v1/${tokens[index]}/attributes/updates?timeout=20000`;
    const poll = request({ host, port, path, agent: false }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`a poll was answered ${response.statusCode}`));
      response.resume().once('end', resolve);
    });
    poll.once('error', reject).end();
  });
}
