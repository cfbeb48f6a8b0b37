import { silentLogger, type Uuid } from '@tandem/core';
import { aMessage } from '@tandem/core/testing';
import { PATIENCE } from '../testing/patience';
import { type RedisServer, startRedis } from '../testing/redis-server';
import { encodeMessage, type StreamEntry } from './message-codec';
import { expiringKey } from './telemetry-view';
import { openTelemetry, type TelemetryUnderTest } from './testing/telemetry-under-test';
import { ViewWriter } from './view-writer';

let server: RedisServer;
let one: TelemetryUnderTest;
let device: Uuid;
let ensured: Uuid[];

beforeAll(async () => {
  server = await startRedis();
  one = await openTelemetry(server.address);
});
afterAll(async () => {
  await one.close();
  await server.stop();
});
beforeEach(async () => {
  device = await one.device();
  ensured = [];
});

const bounds = { historyMax: 10_000, telemetryKeysMax: 10_000, waitReplicas: 0, timeout: PATIENCE };

/** @param ensure whether the registry has a device whose event log is not there */
const writer = (ensure: (id: Uuid) => Promise<boolean> = async () => false, given: Partial<typeof bounds> = {}) =>
  new ViewWriter(
    one.commands,
    one.keys,
    {
      ensure: (id) => {
        ensured.push(id);
        return ensure(id);
      },
    },
    { ...bounds, ...given },
    'PUBLISH',
    silentLogger,
    () => {},
  );

const nothingLeftOut = () => Promise.reject(new Error('nothing is foreign here'));

/** Entry n says: at time 1 the value is n. */
const entry = (n: number, id = device): StreamEntry => [
  `1700000000000-${n}`,
  ['d', id, 'm', encodeMessage(aMessage({ id }, 1, { t: String(n) }))],
];
const entries = (...all: number[]) => all.map((n) => entry(n));
/** As it was read of one life of the stream. */
const portion = (read: readonly StreamEntry[], life = '0.server') => ({ entries: read, life });
const latest = async (id = device) => (await one.view.latest(id)).get('t')?.value;

it('a step that is repeated by one who had it in hand for long changes nothing', async () => {
  await writer().write(portion(entries(1, 2, 3)), nothingLeftOut);
  await writer().write(portion(entries(4, 5)), nothingLeftOut);
  await writer().write(portion(entries(1, 2, 3)), nothingLeftOut);
  expect(await latest()).toBe('5');
  await writer().write(portion(entries(4)), nothingLeftOut);
  expect(await latest()).toBe('5');
});

it('smaller ids of another life of the stream are no repetition: a server that took over may be behind', async () => {
  await writer().write(portion(entries(7, 8)), nothingLeftOut);
  await writer().write(portion(entries(3), '0.successor'), nothingLeftOut);
  expect(await latest()).toBe('3');
  await writer().write(portion(entries(3), '0.successor'), nothingLeftOut);
  await writer().write(portion(entries(4), '0.successor'), nothingLeftOut);
  expect(await latest()).toBe('4');
});

it('of a step that overlaps another one what is new is applied', async () => {
  await writer().write(portion(entries(1, 2, 3)), nothingLeftOut);
  await writer().write(portion(entries(2, 3, 4, 5)), nothingLeftOut);
  expect(await latest()).toBe('5');
  expect(await one.view.history(device, 't', { startTs: 0, endTs: 9, limit: 9, order: 'ASC' })).toEqual([
    { ts: 1, value: '5' },
  ]);
});

it('compares the ids of entries as numbers', async () => {
  await writer().write(portion(entries(9)), nothingLeftOut);
  await writer().write(portion(entries(10)), nothingLeftOut);
  expect(await latest()).toBe('10');
});

it('leaves nothing for a device that is gone, and asks for one whose log has not begun yet', async () => {
  const gone = '00000000-0000-4000-8000-000000000001';
  await writer().write(portion([entry(1, gone), entry(1)]), nothingLeftOut);
  expect([await latest(gone), await latest()]).toEqual([undefined, '1']);
  expect(ensured).toEqual([gone]);
  const begin = (id: Uuid) => one.commands.client.hset(one.keys.device(id, 'log'), 'epoch', 'e').then(() => true);
  await writer(begin).write(portion([entry(1, gone)]), nothingLeftOut);
  expect(await latest(gone)).toBe('1');
});

it('puts a large step of one device into the view in several calls', async () => {
  const all: StreamEntry[] = Array.from({ length: 3 }, (_, n) => {
    const values = Object.fromEntries(Array.from({ length: 1_500 }, (_, k) => [`k${k}`, String(n)]));
    return [`1700000000000-${n}`, ['d', device, 'm', encodeMessage(aMessage({ id: device }, n, values))]];
  });
  await writer().write(portion(all), nothingLeftOut);
  const points = await one.view.latest(device);
  expect(points.size).toBe(1_500);
  expect(new Set([...points.values()].map(({ ts }) => ts))).toEqual(new Set([2]));
  expect(await one.view.history(device, 'k1499', { startTs: 0, endTs: 9, limit: 9, order: 'DESC' })).toHaveLength(3);
});

it('what a former life of a device left in the log is not for the one that was made again', async () => {
  await one.commands.client.hset(one.keys.device(device, 'log'), 'born', '1700000000001');
  await writer().write(portion(entries(1, 2)), nothingLeftOut);
  expect(await latest()).toBeUndefined();
  const [, fields] = entry(3);
  await writer().write(portion([...entries(2), ['1700000000001-0', fields]]), nothingLeftOut);
  expect(await latest()).toBe('3');
});

it('of keys beyond those that a device may have nothing is left, nor a time at which it would go', async () => {
  const values = { k0: '0', k1: '1', k2: '2', k3: '3' };
  const message = encodeMessage(aMessage({ id: device }, 1, values));
  const fields = ['d', device, 'm', message, 'x', '4000000000000'];
  await writer(undefined, { telemetryKeysMax: 2 }).write(portion([['1700000000000-1', fields]]), nothingLeftOut);
  expect((await one.view.latest(device)).size).toBe(2);
  expect(await one.commands.client.zcard(expiringKey(one.keys, device))).toBe(2);
});
