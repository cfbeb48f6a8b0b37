import { randomUUID } from 'node:crypto';
import { type LogFields, silentLogger, type Uuid } from '@tandem/core';
import { aMessage } from '@tandem/core/testing';
import { type RedisServer, startRedis } from '../testing/redis-server';
import { readRetention, retentionKey } from './retention-state';
import { expiringKey, historyKey, unlistedKey } from './telemetry-view';
import { openTelemetry, type TelemetryUnderTest } from './testing/telemetry-under-test';

const DAY = 86_400_000;
/** More than Redis gives at once of a small hash. */
const DEVICES = 1_200;
const warnings: [message: string, fields: LogFields][] = [];
let server: RedisServer;
let ends: (() => unknown)[] = [];

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());
beforeEach(() => server.cli('FLUSHALL'));
afterEach(async () => {
  for (const end of ends.reverse()) await end();
  ends = [];
  warnings.length = 0;
});

/** One process. */
async function telemetry(lease = 300): Promise<TelemetryUnderTest> {
  const warn = (message: string, fields: LogFields = {}) => void warnings.push([message, fields]);
  const opened = await openTelemetry(server.address, {
    logger: { ...silentLogger, warn },
    lease,
    bounds: { historyMaxAge: DAY },
  });
  ends.push(() => opened.close());
  return opened;
}

/** A device that the registry has, with a point that is too old and one that is not. */
async function withOldPoints({ commands: { client }, keys }: TelemetryUnderTest, now = Date.now()): Promise<Uuid> {
  const id = randomUUID();
  await client.hset(keys.registry('epochs'), id, 'epoch');
  await client.hset(keys.device(id, 'log'), 'epoch', 'epoch');
  await client.hset(keys.device(id, 'latest'), 't', `${now} 2`);
  await client.zadd(historyKey(keys, id, 't'), 1, '1 1', now, `${now} 2`);
  return id;
}

const pointsOf = ({ commands, keys }: TelemetryUnderTest, id: Uuid) => commands.client.zcard(historyKey(keys, id, 't'));

it('a pass goes over all devices, tells how many points it removed, and that it is through', async () => {
  const one = await telemetry();
  const ids = await Promise.all(Array.from({ length: DEVICES }, () => withOldPoints(one)));
  await one.materialiser.start();
  await one.materialiser.swept();
  expect(new Set(await Promise.all(ids.map((id) => pointsOf(one, id))))).toEqual(new Set([1]));
  expect(one.metric('tandem_retention_points_removed_total')).toBe(DEVICES);
  expect(one.metric('tandem_retention_progress_ratio')).toBe(1);
  expect(one.metric('tandem_retention_last_pass_timestamp_seconds')).toBeGreaterThan(1_700_000_000);
});

it('a pass over which a process died is ended by another one, from where it was, when its lease is over', async () => {
  const [one, other] = [await telemetry(), await telemetry()];
  const { commands, keys } = one;
  const ids = await Promise.all(Array.from({ length: DEVICES }, () => withOldPoints(one)));
  // As a process leaves it that was killed after its first step.
  const [cursor, fields] = await commands.client.hscan(keys.registry('epochs'), '0', 'COUNT', 100);
  const seen = new Set(fields.filter((_, i) => i % 2 === 0));
  expect(cursor).not.toBe('0');
  const left = { cursor, looked: seen.size, wanted: 7, begunAfter: 7, served: 6, ended: 5 };
  await commands.client.hset(retentionKey(keys), left);
  await commands.client.set(keys.registry('retention-lease'), 'dead', 'PX', 700);

  await other.materialiser.start();
  for (;;) {
    const state = await readRetention(commands, keys);
    if (state.served === 7) break;
    if ((await commands.client.get(keys.registry('retention-lease'))) === 'dead') {
      expect(state).toEqual(left);
    }
    await new Promise(setImmediate);
  }
  const points = await Promise.all(ids.map(async (id) => [seen.has(id), await pointsOf(one, id)] as const));
  // Those that the dead one had looked at are for the next pass.
  expect(points.filter(([wasSeen, left]) => left !== (wasSeen ? 2 : 1))).toEqual([]);
  await one.materialiser.start();
  await one.materialiser.swept();
  expect(new Set(await Promise.all(ids.map((id) => pointsOf(one, id))))).toEqual(new Set([1]));
});

it('keys of another program are left alone and hold up nobody', async () => {
  const one = await telemetry();
  const { client } = one.commands;
  const ids = await Promise.all(Array.from({ length: 5 }, () => withOldPoints(one)));
  const [history = '', latest = '', unlisted = '', expiring = ''] = ids;
  await client.set(historyKey(one.keys, history, 'foreign'), 'x');
  await client.hset(one.keys.device(history, 'latest'), 'foreign', '1 1');
  await client.del(one.keys.device(latest, 'latest'));
  await client.set(one.keys.device(latest, 'latest'), 'x');
  await client.set(unlistedKey(one.keys, unlisted), 'x');
  await client.set(expiringKey(one.keys, expiring), 'x');
  await one.materialiser.start();
  await one.materialiser.swept();
  expect(await Promise.all(ids.map((id) => pointsOf(one, id)))).toEqual([1, 2, 2, 2, 1]);
  expect(await client.get(historyKey(one.keys, history, 'foreign'))).toBe('x');
  expect(warnings).toContainEqual(['what is too old of a device could not be removed', expect.anything()]);
});

it('the ttl of a message stands in the stream, and in what is left out of the view', async () => {
  const one = await telemetry();
  const id = await one.device();
  const foreign = historyKey(one.keys, id, 't');
  await one.commands.client.rpush(foreign, 'foreign');
  await one.log.append({ ...aMessage({ id }, 10, { t: '1' }), expiresAt: 4_000_000_000_000 });
  const streams = await Promise.all(
    Array.from({ length: one.log.partitions }, (_, n) => one.commands.client.xrange(one.keys.telemetry(n), '-', '+')),
  );
  const [entry] = streams.flat();
  expect(entry?.[1]).toEqual(['d', id, 'm', '10 {"t":1}', 'x', '4000000000000']);
  await one.materialiser.start();
  await one.materialiser.caughtUp();
  await one.commands.client.del(foreign);
  await one.close();

  const next = await telemetry();
  await next.materialiser.start();
  while ((await pointsOf(next, id)) === 0) await new Promise(setImmediate);
  const expiring = await next.commands.client.zrange(expiringKey(next.keys, id), '0', '-1', 'WITHSCORES');
  expect(expiring).toEqual(['10 t', '4000000000000']);
});
