import { randomUUID } from 'node:crypto';
import { type RateDemand, silentLogger } from '@tandem/core';
import { CREATED, describeRateCounters } from '@tandem/core/testing';
import { Commands, closeClient, openClient } from '../client';
import { Keys } from '../keys';
import { type RedisServer, startRedis } from '../testing/redis-server';
import { RedisRateCounters } from './rate-counters';

const TIMEOUT = 5_000;
const DEMAND: RateDemand = { what: 'messages', limit: { count: 10, seconds: 100 }, cost: 1 };

let redis: RedisServer;
let processes: Commands[];
let one: RedisRateCounters;
let other: RedisRateCounters;
const keys = new Keys('test');

beforeAll(async () => {
  redis = await startRedis();
  processes = [1, 2].map(() => {
    const client = openClient({ address: redis.address, cluster: false, timeout: TIMEOUT }, silentLogger);
    return new Commands(client, client, { waitReplicas: 0, timeout: TIMEOUT, logger: silentLogger });
  });
  const counters = processes.map((commands) => new RedisRateCounters(commands, keys));
  [one, other] = counters as [RedisRateCounters, RedisRateCounters];
});
afterAll(async () => {
  for (const commands of processes) await closeClient(commands.client);
  await redis.stop();
});

describe('Kept by Redis:', () => {
  describeRateCounters(() => one);
});

describe('Two processes', () => {
  it('take from one bucket', async () => {
    const owner = { scope: 'tenant', id: randomUUID() } as const;
    const taken = await Promise.all(
      Array.from({ length: 40 }, (_, n) => (n % 2 ? one : other).take(owner, [DEMAND], CREATED)),
    );
    expect(taken.filter(({ ok }) => ok)).toHaveLength(10);
    expect(await other.take(owner, [DEMAND], CREATED + 10_000)).toEqual({ ok: true });
    expect(await one.take(owner, [DEMAND], CREATED + 10_000)).toMatchObject({ ok: false, retryAfter: 10_000 });
  });
});

describe('In Redis', () => {
  const lapse = async (id: string) => Number(await redis.cli('PTTL', keys.device(id, 'rate')));

  it('a bucket that nobody takes from lapses when it would be full, and no earlier', async () => {
    const id = randomUUID();
    const short: RateDemand = { what: 'data points', limit: { count: 5, seconds: 1 }, cost: 1 };
    await one.take({ scope: 'device', id }, [short], CREATED);
    expect(await lapse(id)).toBeLessThanOrEqual(1_000);
    await one.take({ scope: 'device', id }, [DEMAND, short], CREATED);
    await one.take({ scope: 'device', id }, [short], CREATED);
    expect(await lapse(id)).toBeGreaterThan(90_000);
    expect(await lapse(id)).toBeLessThanOrEqual(100_000);
  });

  it('keys of another program are left alone', async () => {
    const id = randomUUID();
    await redis.cli('SET', keys.device(id, 'rate'), 'theirs');
    await expect(one.take({ scope: 'device', id }, [DEMAND], CREATED)).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await redis.cli('GET', keys.device(id, 'rate'))).toBe('theirs');
  });
});
