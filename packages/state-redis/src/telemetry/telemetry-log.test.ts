import { randomUUID } from 'node:crypto';
import { type LogFields, silentLogger } from '@tandem/core';
import { type RedisServer, type RedisServerOptions, startRedis } from '../testing/redis-server';
import { partitionOf } from './partitions';
import { CuttingProxy } from './testing/cutting-proxy';
import { logged, until } from './testing/stream-content';
import { openTelemetry, type TelemetryGiven } from './testing/telemetry-under-test';

let ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.reverse()) await end();
  ends = [];
});

async function redis(options?: RedisServerOptions): Promise<RedisServer> {
  const server = await startRedis(options);
  ends.push(() => server.stop());
  return server;
}

async function telemetry({ address }: Pick<RedisServer, 'address'>, given?: TelemetryGiven) {
  const opened = await openTelemetry(address, given);
  ends.push(() => opened.close());
  return opened;
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

it('everything accepted is there once and in order when Redis is killed again and again under load', async () => {
  const server = await redis({ appendonly: 'always' });
  const one = await telemetry(server);
  let stop = false;
  let accepted = 0;
  const lane = async () => {
    const id = randomUUID();
    let sent = 0;
    while (!stop) {
      // Three at a time: a later message of a device must not overtake an earlier one either.
      await Promise.all([0, 1, 2].map((n) => one.append(id, sent + n)));
      sent += 3;
      accepted += 3;
    }
    return [id, sent] as const;
  };
  const lanes = numbers(24).map(lane);
  for (let round = 0; round < 3; round++) {
    const before = accepted;
    await until(() => accepted > before + 500);
    await server.kill9();
    await server.restart();
  }
  stop = true;
  const content = new Map((await Promise.all(lanes)).map(([id, sent]) => [id, numbers(sent)]));
  expect(await logged(one)).toEqual(content);
});

it('a message whose answer got lost on the way is there once', async () => {
  const server = await redis();
  const proxy = await CuttingProxy.start(server.port);
  ends.push(() => proxy.stop());
  const one = await telemetry(proxy);
  const id = randomUUID();
  await one.append(id, 0);
  const cut = proxy.cutNextAnswer();
  const appends = [one.append(id, 1), one.append(id, 2)];
  await cut;
  expect(Number(await server.cli('XLEN', one.keys.telemetry(partitionOf(id, 4))))).toBe(3);
  await Promise.all(appends);
  await one.append(id, 3);
  expect(await logged(one)).toEqual(new Map([[id, [0, 1, 2, 3]]]));
});

it('a message that was refused stays refused when that answer got lost on the way', async () => {
  const server = await redis();
  const proxy = await CuttingProxy.start(server.port);
  ends.push(() => proxy.stop());
  const bounds = { backlogMax: 3 };
  const [one, other] = [await telemetry(proxy, { bounds }), await telemetry(server, { bounds })];
  const id = randomUUID();
  await Promise.all(numbers(3).map((n) => other.append(id, n)));
  const cut = proxy.cutNextAnswer();
  const refused = expect(one.append(id, 3)).rejects.toMatchObject({ code: 'BACKLOG_FULL' });
  await cut;
  await refused;
  expect(await logged(other)).toEqual(new Map([[id, [0, 1, 2]]]));
});

it('while Redis holds its breath messages are refused in time; what it gets later of them is there at most once', async () => {
  const server = await redis();
  const one = await telemetry(server, { bounds: { timeout: 1_500 } });
  const id = randomUUID();
  await one.append(id, 0);
  server.pause();
  await expect(one.append(id, 1)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryAfter: expect.any(Number) });
  const late = one.append(id, 2);
  server.resume();
  await late;
  expect([...((await logged(one)).get(id) ?? [])].filter((n) => n !== 1)).toEqual([0, 2]);
  expect([
    [0, 1, 2],
    [0, 2],
  ]).toContainEqual((await logged(one)).get(id));
});

it('a process holds only so many bytes, refuses what is beyond them, and counts that', async () => {
  const server = await redis();
  const one = await telemetry(server, { bounds: { maxInFlightBytes: 65_536 } });
  const id = randomUUID();
  server.pause();
  const outcomes: Promise<string>[] = numbers(2_000).map((n) =>
    one.append(id, n).then(
      () => 'accepted',
      (error) => error.code,
    ),
  );
  expect(one.metric('tandem_telemetry_in_flight_bytes')).toBeLessThanOrEqual(65_536);
  server.resume();
  const codes = await Promise.all(outcomes);
  const accepted = codes.filter((code) => code === 'accepted').length;
  expect(accepted).toBeGreaterThan(100);
  expect(codes).toEqual(codes.map((_, n) => (n < accepted ? 'accepted' : 'BACKLOG_FULL')));
  expect(one.metric('tandem_limit_hits_total', { limit: 'TANDEM_REDIS_MAX_IN_FLIGHT_BYTES' })).toBe(2_000 - accepted);
  expect(await logged(one)).toEqual(new Map([[id, numbers(accepted)]]));
  expect(one.metric('tandem_telemetry_in_flight_bytes')).toBe(0);
});

it("another program's key in the place of a stream is left alone, and the other streams go on", async () => {
  const server = await redis();
  const one = await telemetry(server);
  const id = randomUUID();
  const key = one.keys.telemetry(partitionOf(id, 4));
  await server.cli('SET', key, 'foreign');
  const ids = numbers(40).map(() => randomUUID());
  const outcomes = await Promise.allSettled([id, ...ids].map((each) => one.append(each, 1)));
  expect(outcomes[0]).toMatchObject({ status: 'rejected', reason: { code: 'INTERNAL' } });
  expect(await server.cli('GET', key)).toBe('foreign');
  await server.cli('DEL', key);
  await one.append(id, 2);
  const elsewhere = ids.filter((each) => partitionOf(each, 4) !== partitionOf(id, 4));
  expect(elsewhere.length).toBeGreaterThan(0);
  expect(await logged(one)).toEqual(
    new Map<string, number[]>([[id, [2]], ...elsewhere.map((each): [string, number[]] => [each, [1]])]),
  );
});

it('nothing is acknowledged while Redis is out of memory', async () => {
  const server = await redis();
  const one = await telemetry(server);
  const id = randomUUID();
  await server.cli('CONFIG', 'SET', 'maxmemory', '1mb');
  await expect(one.append(id, 1)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryAfter: expect.any(Number) });
  await server.cli('CONFIG', 'SET', 'maxmemory', '0');
  await one.append(id, 2);
  expect(await logged(one)).toEqual(new Map([[id, [2]]]));
});

it('the first process decides on the number of streams, and another one with another setting says so', async () => {
  const server = await redis();
  const first = await telemetry(server, { bounds: { partitions: 2 } });
  const warnings: LogFields[] = [];
  const logger = { ...silentLogger, warn: (_: string, fields: LogFields = {}) => warnings.push(fields) };
  const second = await telemetry(server, { bounds: { partitions: 16 }, logger });
  expect(warnings).toEqual([{ partitions: 2, setting: 16 }]);
  const ids = numbers(20).map(() => randomUUID());
  for (const id of ids) {
    await first.append(id, 1);
    await second.append(id, 2);
  }
  expect(await logged(first)).toEqual(new Map(ids.map((id) => [id, [1, 2]])));
});

describe('When Redis was emptied and another process agreed on fewer streams', () => {
  const fewer = async (server: RedisServer, { keys }: { keys: { registry(name: string): string } }) => {
    await server.cli('FLUSHALL');
    await server.cli('HSET', keys.registry('meta'), 'partitions', '1');
  };

  it('those that count no more do not keep the door closed', async () => {
    const server = await redis();
    const one = await telemetry(server, { bounds: { partitions: 8, backlogMax: 40 } });
    const ids = numbers(40).map(() => randomUUID());
    await Promise.all(ids.map((id) => one.append(id, 1)));
    await expect(one.append(randomUUID(), 1)).rejects.toMatchObject({ code: 'BACKLOG_FULL' });
    await fewer(server, one);
    await until(() => one.log.backlog() === 0);
    expect(one.metric('tandem_telemetry_backlog')).toBe(0);
    await Promise.all(ids.map((id) => one.append(id, 2)));
    expect(one.log.backlog()).toBe(40);
    expect(await logged(one)).toEqual(new Map(ids.map((id) => [id, [2]])));
  });

  it('messages on their way to those are refused, and their devices may send them again', async () => {
    const server = await redis();
    const replica = await redis();
    const one = await telemetry(server, { bounds: { waitReplicas: 1, timeout: 60_000 } });
    const id = numbers(100)
      .map(() => randomUUID())
      .find((each) => partitionOf(each, 4) === 3);
    if (!id) throw new Error('no device of the last stream');
    const waiting = [one.append(id, 1)];
    await until(async () => (await server.cli('XLEN', one.keys.telemetry(3))) === '1');
    waiting.push(one.append(id, 2));
    await fewer(server, one);
    const refused = { status: 'rejected', reason: { code: 'STORE_UNAVAILABLE', retryAfter: expect.any(Number) } };
    expect(await Promise.allSettled(waiting)).toMatchObject([refused, refused]);
    expect(one.log.backlog()).toBe(0);
    expect(await server.cli('EXISTS', one.keys.telemetry(3))).toBe('0');
    await replica.cli('REPLICAOF', '127.0.0.1', String(server.port));
    await one.append(id, 2);
    expect(await logged(one)).toEqual(new Map([[id, [2]]]));
  });
});

it('the door closes when the streams are as full as they may be, for every process', async () => {
  const server = await redis();
  const bounds = { backlogMax: 10 };
  const [one, other] = [await telemetry(server, { bounds }), await telemetry(server, { bounds })];
  const id = randomUUID();
  await Promise.all(numbers(10).map((n) => one.append(id, n)));
  expect(one.log.backlog()).toBe(10);
  // It does not know yet: the stream itself refuses, and then it does.
  await expect(other.append(id, 10)).rejects.toMatchObject({ code: 'BACKLOG_FULL', retryAfter: expect.any(Number) });
  expect(other.metric('tandem_telemetry_backlog')).toBe(10);
  const limit = { limit: 'TANDEM_TELEMETRY_BACKLOG_MAX' } as const;
  expect(other.metric('tandem_limit_hits_total', limit)).toBe(1);
  await expect(other.append(id, 11)).rejects.toMatchObject({ code: 'BACKLOG_FULL' });
  expect([one, other].map((each) => each.metric('tandem_limit_hits_total', limit))).toEqual([0, 2]);
  expect(await logged(one)).toEqual(new Map([[id, numbers(10)]]));
});

it('with too few replicas a message is not accepted, and with enough of them it is', async () => {
  const server = await redis();
  const replica = await redis();
  const one = await telemetry(server, { bounds: { waitReplicas: 1, timeout: 3_000 } });
  const id = randomUUID();
  await expect(one.append(id, 1)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryAfter: expect.any(Number) });
  await replica.cli('REPLICAOF', '127.0.0.1', String(server.port));
  await until(async () => (await replica.cli('INFO', 'replication')).includes('master_link_status:up'));
  await one.append(id, 2);
  expect(await replica.cli('XLEN', one.keys.telemetry(partitionOf(id, 4)))).toBe('2');
  expect(await logged(one)).toEqual(new Map([[id, [1, 2]]]));
});

it('what was accepted before a close is written, and nothing is taken afterwards', async () => {
  const server = await redis();
  const one = await openTelemetry(server.address);
  const reader = await telemetry(server);
  const id = randomUUID();
  const appends = numbers(100).map((n) => one.append(id, n));
  await one.close();
  await Promise.all(appends);
  await expect(one.append(id, 100)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  expect(await logged(reader)).toEqual(new Map([[id, numbers(100)]]));
});
