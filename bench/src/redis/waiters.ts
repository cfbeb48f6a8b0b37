import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { generate, parse } from 'coap-packet';
import { anonymousBytesOf } from '../measure/process-usage';
import type { GatewayUnderTest } from '../servers/gateway';
import type { Fleet } from './fleet';
import type { RedisProcess } from './redis-process';

export const WAITING_DEVICES = 10_000;
/** Bytes that one waiting device may cost, over both processes and Redis. */
export const MAX_BYTES_PER_WAITER = 25_000;

/** Opened at the same time. */
const AT_ONCE = 100;
/** Memory is read until it stands still: so many seconds, the smallest counts. */
const SETTLE_SECONDS = 10;

export interface WaiterCost {
  /** Bytes for each waiting device. */
  readonly http: number;
  readonly coap: number;
  readonly redis: number;
  readonly total: number;
}

/** Half of the devices of the bench wait in a poll at the http process, half observe at the coap process. */
export async function measureWaiters(fleet: Fleet, redis: RedisProcess): Promise<WaiterCost> {
  const half = WAITING_DEVICES / 2;
  await warmUp(fleet);
  const before = await smallest(fleet, redis);
  const sockets: (Socket | UdpSocket)[] = [];
  try {
    await inBatches(half, async (index) => sockets.push(await openPoll(fleet.http, index)));
    await inBatches(half, async (index) => sockets.push(await openObservation(fleet.coap, half + index)));
    const after = await smallest(fleet, redis);
    const per = (name: keyof typeof before): number => (after[name] - before[name]) / WAITING_DEVICES;
    return {
      http: per('http'),
      coap: per('coap'),
      redis: per('redis'),
      total: per('http') + per('coap') + per('redis'),
    };
  } finally {
    for (const socket of sockets) 'destroy' in socket ? socket.destroy() : socket.close();
  }
}

/** Code is compiled and pools are filled by the first hundred, whoever comes after. */
async function warmUp(fleet: Fleet): Promise<void> {
  for (let index = 0; index < AT_ONCE; index += 1) {
    (await openPoll(fleet.http, index)).destroy();
    (await openObservation(fleet.coap, WAITING_DEVICES / 2 + index)).close();
  }
}

async function smallest(fleet: Fleet, redis: RedisProcess): Promise<{ http: number; coap: number; redis: number }> {
  const least = { http: Number.POSITIVE_INFINITY, coap: Number.POSITIVE_INFINITY, redis: Number.POSITIVE_INFINITY };
  for (let second = 0; second < SETTLE_SECONDS; second += 1) {
    await delay(1_000);
    least.http = Math.min(least.http, anonymousBytesOf(fleet.http.pid));
    least.coap = Math.min(least.coap, anonymousBytesOf(fleet.coap.pid));
    least.redis = Math.min(least.redis, await redis.datasetBytes());
  }
  return least;
}

async function inBatches(count: number, open: (index: number) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < count; from += AT_ONCE) {
    const size = Math.min(AT_ONCE, count - from);
    await Promise.all(Array.from({ length: size }, (_, offset) => open(from + offset)));
  }
}

async function openPoll({ host, port, tokens }: GatewayUnderTest, index: number): Promise<Socket> {
  const socket = connect(port, host);
  await once(socket, 'connect');
  socket.once('data', (data) => {
    throw new Error(`a poll did not wait: ${data.toString().split('\r\n')[0]}`);
  });
  socket.write(`GET /api/v1/${tokens[index]}/attributes/updates?timeout=280000 HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  return socket;
}

async function openObservation({ host, coapPort, tokens }: GatewayUnderTest, index: number): Promise<UdpSocket> {
  const socket = createSocket('udp4');
  socket.connect(coapPort, host);
  await once(socket, 'connect');
  const path = ['api', 'v1', tokens[index] ?? '', 'attributes'];
  const message = generate({
    confirmable: true,
    code: 'GET',
    messageId: 1,
    token: Buffer.from([index >> 8, index & 0xff]),
    options: [
      { name: 'Observe', value: Buffer.alloc(0) },
      ...path.map((segment) => ({ name: 'Uri-Path' as const, value: Buffer.from(segment) })),
    ],
  });
  socket.send(message);
  for (;;) {
    const [datagram] = (await once(socket, 'message')) as [Buffer];
    const answer = parse(datagram);
    if (answer.confirmable) socket.send(generate({ ack: true, code: '0.00', messageId: answer.messageId }));
    if (answer.code === '0.00') continue;
    if (answer.code !== '2.05') throw new Error(`an observation was answered ${answer.code}`);
    return socket;
  }
}
