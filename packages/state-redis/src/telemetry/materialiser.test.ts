import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type LogFields, silentLogger } from '@tandem/core';
import { aMessage } from '@tandem/core/testing';
import { type RedisServer, startRedis } from '../testing/redis-server';
import { partitionOf } from './partitions';
import { GROUP } from './progress';
import { CuttingProxy } from './testing/cutting-proxy';
import { until } from './testing/stream-content';
import { openTelemetry, type TelemetryGiven, type TelemetryUnderTest } from './testing/telemetry-under-test';

const PARTITIONS = 4;
let ends: (() => unknown)[] = [];
let server: RedisServer;

beforeEach(async () => {
  server = await startRedis();
  ends = [() => server.stop()];
});
afterEach(async () => {
  for (const end of ends.reverse()) await end();
});

async function telemetry(
  given?: TelemetryGiven,
  { address }: Pick<RedisServer, 'address'> = server,
): Promise<TelemetryUnderTest> {
  const opened = await openTelemetry(address, given);
  ends.push(() => opened.close());
  return opened;
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

/** Who has the leases, by partition. */
const owners = ({ commands, keys }: TelemetryUnderTest) =>
  commands.client.mget(numbers(PARTITIONS).map((partition) => keys.partition(partition, 'lease')));

/** A logger that tells of its warnings and errors. */
function listening() {
  const lines: [message: string, fields: LogFields][] = [];
  const take = (message: string, fields: LogFields = {}) => void lines.push([message, fields]);
  return { lines, logger: { ...silentLogger, warn: take, error: take } };
}

it('two processes share the partitions, and one takes over from another that ends in the middle', async () => {
  const [one, other] = [await telemetry({ lease: 1_000 }), await telemetry({ lease: 1_000 })];
  const ids = await Promise.all(numbers(30).map(() => one.device()));
  await one.materialiser.start();
  await other.materialiser.start();
  await until(async () => {
    const who = await owners(one);
    return [one, other].every(({ processId }) => who.filter((owner) => owner === processId).length === PARTITIONS / 2);
  });
  const appends: Promise<void>[] = [];
  for (let ts = 0; ts < 200; ts++) for (const id of ids) appends.push((ts % 2 ? one : other).append(id, ts));
  await appends[1_000];
  await one.close();
  await Promise.all(appends);
  await other.materialiser.caughtUp();
  for (const id of ids) expect(await other.times(id)).toEqual(numbers(200));
  expect(other.log.backlog()).toBe(0);
  await until(async () => (await owners(other)).every((owner) => owner === other.processId));
});

it('a process that is cut off from Redis loses its partitions, and changes nothing when it is back', async () => {
  const proxy = await CuttingProxy.start(server.port);
  ends.push(() => proxy.stop());
  const lease = 600;
  const one = await telemetry({ lease });
  const ids = await Promise.all(numbers(40).map(() => one.device()));
  // All at one time: applied in another order, or again, an old value would come back.
  const append = (n: number) => ids.map((id) => one.log.append(aMessage({ id }, 1, { t: String(n) })));
  await Promise.all(numbers(300).flatMap(append));
  const cutOff = await telemetry({ lease }, proxy);
  await cutOff.materialiser.start();
  const handedOut = async () => {
    const pending = await Promise.all(
      numbers(PARTITIONS).map((partition) => one.commands.client.xpending(one.keys.telemetry(partition), GROUP)),
    ).catch(() => []);
    return pending.some((summary) => Number(summary[0]) > 0);
  };
  await until(async () => {
    if (!(await handedOut())) return false;
    proxy.hold();
    return true;
  });
  await one.materialiser.start();
  await one.materialiser.caughtUp();
  await Promise.all(append(300));
  await one.materialiser.caughtUp();
  proxy.release();
  await cutOff.materialiser.caughtUp();
  for (const id of ids) expect(await one.view.latest(id)).toEqual(new Map([['t', { ts: 1, value: '300' }]]));
  expect(one.log.backlog()).toBe(0);
});

it('a consumer group of another program holds the log back until it is ended for not reading', async () => {
  const { lines, logger } = listening();
  const bounds = { backlogMax: 8, consumerGroupTtl: 1_200 };
  const one = await telemetry({ bounds, logger });
  const id = await one.device();
  const partition = partitionOf(id, PARTITIONS);
  const stream = one.keys.telemetry(partition);
  await server.cli('XGROUP', 'CREATE', stream, 'exporter', '0', 'MKSTREAM');
  await one.materialiser.start();
  for (const ts of numbers(8)) await one.append(id, ts);
  await one.materialiser.caughtUp();
  expect(await one.times(id)).toEqual(numbers(8));
  expect(one.metric('tandem_telemetry_backlog')).toBe(8);
  await expect(one.append(id, 8)).rejects.toMatchObject({ code: 'BACKLOG_FULL' });
  expect(one.metric('tandem_consumer_groups_expired_total')).toBe(0);

  await until(() => one.metric('tandem_consumer_groups_expired_total') === 1);
  expect(lines.map(([, fields]) => fields)).toEqual([{ group: 'exporter', partition, unread: 8 }]);
  expect(await server.cli('XINFO', 'GROUPS', stream)).not.toContain('exporter');
  await until(() => one.log.backlog() === 0);
  await one.append(id, 8);
  await one.materialiser.caughtUp();
  expect(await one.times(id)).toEqual(numbers(9));
});

it('a consumer group that reads is not ended, and its entries stay until it has acknowledged them', async () => {
  const one = await telemetry({ bounds: { consumerGroupTtl: 500 } });
  const id = await one.device();
  const stream = one.keys.telemetry(partitionOf(id, PARTITIONS));
  await server.cli('XGROUP', 'CREATE', stream, 'exporter', '0', 'MKSTREAM');
  await one.materialiser.start();
  const { client } = one.commands;
  const held: string[] = [];
  const takeOne = async () => {
    await one.append(id, held.length);
    const read = await client.xreadgroup('GROUP', 'exporter', 'c', 'COUNT', 1, 'STREAMS', stream, '>');
    held.push(...(read ?? []).flatMap(([, entries]) => entries.map(([entry]) => entry)));
    await one.materialiser.caughtUp();
  };
  // It acknowledges nothing, for four times as long as it may go without reading.
  for (const begun = Date.now(); Date.now() < begun + 2_000; ) {
    await takeOne();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(await client.xlen(stream)).toBe(held.length);
  await client.xack(stream, 'exporter', ...held.slice(0, -1));
  await takeOne();
  expect(await client.xlen(stream)).toBe(2);
  await client.xack(stream, 'exporter', ...held);
  await takeOne();
  expect(await client.xlen(stream)).toBe(1);
  expect(one.log.backlog()).toBe(1);
  expect(one.metric('tandem_consumer_groups_expired_total')).toBe(0);
});

it('goes on by itself after Redis was restarted empty', async () => {
  const one = await telemetry();
  const before = await one.device();
  await one.materialiser.start();
  await one.append(before, 1);
  await one.materialiser.caughtUp();
  await server.restart({ empty: true });
  await until(() => one.device().then(Boolean, () => false));
  const after = await one.device();
  for (const ts of numbers(5)) await one.append(after, ts);
  await one.materialiser.caughtUp();
  expect(await one.times(after)).toEqual(numbers(5));
  expect(await one.times(before)).toEqual([]);
  expect(one.log.backlog()).toBe(0);
});

it('telemetry of a device whose view another program has taken is told of, and holds nobody else up', async () => {
  const { lines, logger } = listening();
  const one = await telemetry({ logger, bounds: { partitions: 1 } });
  const [taken, device] = [await one.device(), await one.device()];
  const key = one.keys.device(taken, 'latest');
  await server.cli('SET', key, 'foreign');
  await one.materialiser.start();
  await Promise.all([one.append(taken, 1), one.append(device, 1)]);
  await one.materialiser.caughtUp();
  expect(await one.times(device)).toEqual([1]);
  expect(await server.cli('GET', key)).toBe('foreign');
  expect(await server.cli('KEYS', one.keys.device(taken, 'history:t'))).toBe('');
  expect(lines.map(([, { deviceId }]) => deviceId)).toContain(taken);
});

it('passes over entries that nobody can read', async () => {
  const { lines, logger } = listening();
  const one = await telemetry({ logger, bounds: { partitions: 1 } });
  const id = await one.device();
  const stream = one.keys.telemetry(0);
  await server.cli('XADD', stream, '*', 'foreign', 'entry');
  for (const text of ['nonsense', '1e999 {"t":1}', '1 {"t":'])
    await server.cli('XADD', stream, '*', 'd', id, 'm', text);
  await one.append(id, 1);
  await one.materialiser.start();
  await one.materialiser.caughtUp();
  expect(await one.times(id)).toEqual([1]);
  expect(one.log.backlog()).toBe(0);
  expect(lines.map(([, fields]) => fields)).toEqual(
    expect.arrayContaining([{ foreign: 1 }, { deviceId: id, damaged: 3 }]),
  );
});

it('keeps as many points of a time series as it may, and of them the newest', async () => {
  const one = await telemetry({ bounds: { historyMax: 10 } });
  const id = await one.device();
  await one.materialiser.start();
  for (const ts of [5, 1, 9]) await one.append(id, ts);
  await one.materialiser.caughtUp();
  await Promise.all(numbers(25).map((ts) => one.append(id, ts)));
  await one.materialiser.caughtUp();
  expect(await one.times(id)).toEqual(numbers(25).slice(-10));
});

it('a materialiser tells once that Redis is away, and goes on when it is back', async () => {
  const durable = await startRedis({ appendonly: 'always' });
  ends.push(() => durable.stop());
  const { lines, logger } = listening();
  const wentOn: string[] = [];
  const one = await telemetry({ logger: { ...logger, info: (message) => void wentOn.push(message) } }, durable);
  const id = await one.device();
  await one.append(id, 1);
  await durable.kill9();
  await one.materialiser.start();
  await until(() => lines.length > 0);
  await durable.restart();
  await one.materialiser.caughtUp();
  expect(await one.times(id)).toEqual([1]);
  expect(lines.filter(([message]) => message.startsWith('materialiser'))).toHaveLength(1);
  expect(wentOn.filter((message) => message.startsWith('the materialiser'))).toHaveLength(1);
});

it('starts its thread again whenever it has died, and loses nothing', async () => {
  const one = await telemetry();
  const id = await one.device();
  const script = join(__dirname, 'testing', 'end-materialiser.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [script, String(server.port), id]);
  expect(JSON.parse(stdout)).toEqual({ ended: 3, appended: 15_000, inView: 15_000, backlog: 0 });
});
