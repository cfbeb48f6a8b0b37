import { type LogFields, silentLogger, type Uuid } from '@tandem/core';
import { aMessage } from '@tandem/core/testing';
import { PATIENCE } from '../testing/patience';
import { type RedisServer, startRedis } from '../testing/redis-server';
import { LeftOutEntries, leftOutKey } from './left-out';
import { PartitionReader } from './partition-reader';
import { GROUP } from './progress';
import { historyKey, latestKey, latestMetaKey } from './telemetry-view';
import { until } from './testing/stream-content';
import { openTelemetry, type TelemetryGiven, type TelemetryUnderTest } from './testing/telemetry-under-test';
import { ViewWriter } from './view-writer';

const RETRY = 100;
let ends: (() => unknown)[] = [];
let server: RedisServer;
let lines: [message: string, fields: LogFields][];

beforeEach(async () => {
  lines = [];
  server = await startRedis();
  ends = [() => server.stop()];
});
afterEach(async () => {
  for (const end of ends.reverse()) await end();
});

/** One process; of its log lines those of errors are in `lines`. */
async function telemetry(given: TelemetryGiven = {}): Promise<TelemetryUnderTest> {
  const error = (message: string, fields: LogFields = {}) => void lines.push([message, fields]);
  const bounds = { partitions: 1 };
  const opened = await openTelemetry(server.address, {
    logger: { ...silentLogger, error },
    retryInterval: RETRY,
    bounds,
    ...given,
  });
  ends.push(() => opened.close());
  return opened;
}

const send = (one: TelemetryUnderTest, id: Uuid, ts: number, values: Record<string, string>) =>
  one.log.append(aMessage({ id }, ts, values));

/** What the view has of a telemetry key: all its points, by time, and the latest one. */
async function seen({ view }: TelemetryUnderTest, id: Uuid, key: string) {
  const query = { startTs: 0, endTs: 1_000_000, limit: 1_000, order: 'ASC' } as const;
  const points = (await view.history(id, key, query)).map(({ ts, value }) => `${ts} ${value}`);
  const latest = (await view.latest(id)).get(key);
  return { points, latest: latest && `${latest.ts} ${latest.value}` };
}

const once = (...points: string[]) => ({ points, latest: points.at(-1) });
const waiting = ({ commands, keys }: TelemetryUnderTest, partition = 0) =>
  commands.client.xlen(leftOutKey(keys, partition));
const unacknowledged = async ({ commands, keys }: TelemetryUnderTest) =>
  Number((await commands.client.xpending(keys.telemetry(0), GROUP))[0]);

it('only the series whose key another program has taken is left out, and it is in the view when that is gone', async () => {
  const one = await telemetry();
  const id = await one.device();
  const foreign = historyKey(one.keys, id, 'a');
  await server.cli('RPUSH', foreign, 'foreign');
  await one.materialiser.start();
  await send(one, id, 10, { a: '777', b: '"x"', newkey: '5' });
  await one.materialiser.caughtUp();

  expect(one.log.backlog()).toBe(0);
  expect(await seen(one, id, 'b')).toEqual(once('10 "x"'));
  expect(await seen(one, id, 'newkey')).toEqual(once('10 5'));
  expect((await one.view.latest(id)).has('a')).toBe(false);
  expect(await server.cli('LRANGE', foreign, '0', '-1')).toBe('foreign');
  const [kept] = await one.commands.client.xrange(leftOutKey(one.keys, 0), '-', '+');
  expect(kept?.[1]).toEqual(['d', id, 'm', '10 {"a":777,"b":"x","newkey":5}', 'k', foreign]);
  expect(one.metric('tandem_telemetry_left_out_total')).toBe(1);

  await server.cli('DEL', foreign);
  await until(async () => (await waiting(one)) === 0);
  expect(await seen(one, id, 'a')).toEqual(once('10 777'));
  expect(await seen(one, id, 'b')).toEqual(once('10 "x"'));
  expect(await seen(one, id, 'newkey')).toEqual(once('10 5'));
});

it('a foreign key is told of once, with its name and the device, however many messages it concerns', async () => {
  const one = await telemetry();
  const id = await one.device();
  const key = historyKey(one.keys, id, 'a');
  await server.cli('SET', key, 'foreign');
  await one.materialiser.start();
  for (let ts = 0; ts < 20; ts++) {
    await send(one, id, ts, { a: '1' });
    await one.materialiser.caughtUp();
  }
  expect(one.metric('tandem_telemetry_left_out_total')).toBe(20);
  expect(lines.map(([, fields]) => fields)).toEqual([{ deviceId: id, key }]);
});

it.each([
  ['latest values', latestKey],
  ['state', latestMetaKey],
])(
  'where another program has the key of the %s of a device, whole messages wait until it is gone',
  async (_, keyOf) => {
    const one = await telemetry();
    const [id, other] = [await one.device(), await one.device()];
    const foreign = keyOf(one.keys, id);
    await server.cli('SET', foreign, 'foreign');
    await one.materialiser.start();
    await send(one, id, 10, { a: '777', b: '"x"' });
    await send(one, id, 11, { a: '778' });
    await send(one, other, 10, { a: '1' });
    await one.materialiser.caughtUp();
    expect(await seen(one, other, 'a')).toEqual(once('10 1'));
    expect(await waiting(one)).toBe(2);
    expect(await server.cli('GET', foreign)).toBe('foreign');

    await server.cli('DEL', foreign);
    await until(async () => (await waiting(one)) === 0);
    expect(await seen(one, id, 'a')).toEqual(once('10 777', '11 778'));
    expect(await seen(one, id, 'b')).toEqual(once('10 "x"'));
  },
);

it('what was accepted later is not overruled by what was left out', async () => {
  const one = await telemetry({ retryInterval: 600_000 });
  const id = await one.device();
  const foreign = historyKey(one.keys, id, 'a');
  await server.cli('SET', foreign, 'foreign');
  await one.materialiser.start();
  for (const [ts, value] of [
    [10, '1'],
    [20, '1'],
    [20, '2'],
    [30, '1'],
  ] as const) {
    await send(one, id, ts, { a: value });
    await one.materialiser.caughtUp();
  }
  await server.cli('DEL', foreign);
  await send(one, id, 30, { a: '9' });
  await send(one, id, 40, { a: '4' });
  await one.materialiser.caughtUp();
  expect(await seen(one, id, 'a')).toEqual(once('30 9', '40 4'));

  await one.materialiser.close();
  const other = await telemetry();
  await other.materialiser.start();
  await until(async () => (await waiting(one)) === 0);
  expect(await seen(one, id, 'a')).toEqual(once('10 1', '20 2', '30 9', '40 4'));
});

it('what is still left out does not keep what comes before or after it from the view', async () => {
  const one = await telemetry();
  const [id, other] = [await one.device(), await one.device()];
  const [stays, goes] = [historyKey(one.keys, id, 'a'), historyKey(one.keys, other, 'a')];
  await server.cli('SET', stays, 'foreign');
  await server.cli('SET', goes, 'foreign');
  await one.materialiser.start();
  // More than are looked at in one step.
  const sends: Promise<void>[] = [];
  for (let ts = 0; ts < 700; ts++) sends.push(send(one, id, ts, { a: '1' }), send(one, other, ts, { a: '1' }));
  await Promise.all(sends);
  await one.materialiser.caughtUp();
  expect(await waiting(one)).toBe(1_400);
  await server.cli('DEL', goes);
  await until(async () => (await waiting(one)) === 700);
  expect((await seen(one, other, 'a')).points).toHaveLength(700);
  await server.cli('DEL', stays);
  await until(async () => (await waiting(one)) === 0);
  expect((await seen(one, id, 'a')).points).toHaveLength(700);
});

it('of two processes the one that has the partition brings back what the other one left out', async () => {
  const given = { lease: 1_000, bounds: { partitions: 4 } };
  const [one, other] = [await telemetry(given), await telemetry(given)];
  await Promise.all([one.materialiser.start(), other.materialiser.start()]);
  const ids = await Promise.all(Array.from({ length: 12 }, () => one.device()));
  for (const id of ids) await server.cli('SET', historyKey(one.keys, id, 'a'), 'foreign');
  await Promise.all(ids.map((id) => send(one, id, 10, { a: '777', b: '1' })));
  await other.materialiser.caughtUp();
  const left = async () => (await Promise.all([0, 1, 2, 3].map((n) => waiting(other, n)))).reduce((a, b) => a + b);
  expect(await left()).toBe(12);
  await one.close();
  for (const id of ids) await server.cli('DEL', historyKey(one.keys, id, 'a'));
  await until(async () => (await left()) === 0);
  for (const id of ids) {
    expect(await seen(other, id, 'a')).toEqual(once('10 777'));
    expect(await seen(other, id, 'b')).toEqual(once('10 1'));
  }
});

it.each([
  ['before the rest of them is in the view', false],
  ['before they are acknowledged', true],
])('a process that dies when messages are kept aside, but %s, neither loses nor doubles one', async (_, applied) => {
  const one = await telemetry();
  const id = await one.device();
  const foreign = historyKey(one.keys, id, 'a');
  await server.cli('SET', foreign, 'foreign');
  await send(one, id, 10, { a: '777', b: '1' });
  await send(one, id, 11, { a: '778' });
  // As far as a step of the materialiser gets until it dies.
  const { commands, keys } = one;
  await commands.client.set(keys.partition(0, 'lease'), 'dead');
  const portion = await new PartitionReader(commands, keys, 0, 'dead', 1_000, 64_000_000).read();
  const bounds = { historyMax: 100, telemetryKeysMax: 1_000, waitReplicas: 0, timeout: PATIENCE };
  const births = { ensure: async () => false };
  const view = new ViewWriter(commands, keys, births, bounds, 'PUBLISH', silentLogger, () => {});
  const left = new LeftOutEntries(commands, keys, 0, view, {
    processId: 'dead',
    interval: RETRY,
    logger: silentLogger,
  });
  const died = new Error('died');
  const step = view.write(portion ?? { entries: [], life: '' }, async (leftOut) => {
    await left.keep(leftOut);
    if (!applied) throw died;
  });
  if (applied) await step;
  else await expect(step).rejects.toBe(died);
  expect([await waiting(one), await unacknowledged(one)]).toEqual([2, 2]);
  expect((await seen(one, id, 'b')).points).toHaveLength(applied ? 1 : 0);

  await server.cli('DEL', keys.partition(0, 'lease'));
  const [who, expected] = [await telemetry(), { a: once('10 777', '11 778'), b: once('10 1') }];
  await server.cli('DEL', foreign);
  await who.materialiser.start();
  await who.materialiser.caughtUp();
  await until(async () => (await waiting(who)) === 0);
  expect({ a: await seen(who, id, 'a'), b: await seen(who, id, 'b') }).toEqual(expected);
  expect([who.log.backlog(), await unacknowledged(who)]).toEqual([0, 0]);
});

it('what cannot be kept aside either is not acknowledged', async () => {
  const one = await telemetry();
  const id = await one.device();
  const foreign = [historyKey(one.keys, id, 'a'), leftOutKey(one.keys, 0)];
  for (const key of foreign) await server.cli('SET', key, 'foreign');
  await one.materialiser.start();
  await send(one, id, 10, { a: '777' });
  await until(() => lines.some(([message]) => message === 'materialiser step failed'));
  expect(await unacknowledged(one)).toBe(1);
  await server.cli('DEL', ...foreign);
  await one.materialiser.caughtUp();
  await until(async () => (await waiting(one)) === 0);
  expect(await seen(one, id, 'a')).toEqual(once('10 777'));
});

it('a foreign key in the place of a lease holds up its partition alone, and is told of once', async () => {
  const one = await telemetry({ lease: 400, bounds: { partitions: 4 } });
  const lease = one.keys.partition(0, 'lease');
  await server.cli('RPUSH', lease, 'foreign');
  await one.materialiser.start();
  const ids = await Promise.all(Array.from({ length: 16 }, () => one.device()));
  await Promise.all(ids.map((id) => send(one, id, 10, { a: '1' })));
  const lengths = () => Promise.all([0, 1, 2, 3].map((n) => one.commands.client.xlen(one.keys.telemetry(n))));
  await until(async () => (await lengths()).slice(1).every((length) => length === 0));
  // Long enough to be asked for it some ten times.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect((await lengths())[0]).toBeGreaterThan(0);
  expect(lines.map(([, fields]) => fields)).toEqual([{ partition: 0, key: lease }]);
  expect(await server.cli('LRANGE', lease, '0', '-1')).toBe('foreign');
  await server.cli('DEL', lease);
  await one.materialiser.caughtUp();
  for (const id of ids) expect(await seen(one, id, 'a')).toEqual(once('10 1'));
});
