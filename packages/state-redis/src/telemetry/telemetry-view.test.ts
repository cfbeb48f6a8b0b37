import { randomUUID } from 'node:crypto';
import { type RedisServer, startRedis } from '../testing/redis-server';
import { latestKey } from './telemetry-view';
import { openTelemetry, type TelemetryUnderTest } from './testing/telemetry-under-test';

const MANY = 200_000;

describe('The latest values of a device', () => {
  let server: RedisServer;
  let one: TelemetryUnderTest;
  beforeAll(async () => {
    server = await startRedis();
    one = await openTelemetry(server.address);
  });
  afterAll(async () => {
    await one.close();
    await server.stop();
  });

  it('are all read where it has very many, and so are their keys, asked for by name or not', async () => {
    const id = randomUUID();
    const fill = "for n = 1, ARGV[1] do redis.call('HSET', KEYS[1], 'key ' .. n, n .. ' \"v' .. n .. '\"') end";
    await server.cli('EVAL', fill, '1', latestKey(one.keys, id), String(MANY));
    const all = await one.view.latest(id);
    expect(all.size).toBe(MANY);
    expect(all.get(`key ${MANY}`)).toEqual({ ts: MANY, value: `"v${MANY}"` });
    const keys = await one.view.keys(id);
    expect(new Set(keys)).toEqual(new Set(all.keys()));
    const asked = await one.view.latest(id, [...keys, 'unknown']);
    expect(asked).toEqual(all);
    expect([...asked.keys()]).toEqual(keys);
  });

  it('are found whatever their keys are, and are none for a device that sent nothing', async () => {
    const id = randomUUID();
    const keys = ['__proto__', 'constructor', '10', '', 'a b'];
    for (const key of keys) await server.cli('HSET', latestKey(one.keys, id), key, '1 true');
    const all = await one.view.latest(id);
    expect(new Set(all.keys())).toEqual(new Set(keys));
    expect(await one.view.latest(id, keys)).toEqual(all);
    expect((await one.view.latest(id, [])).size).toBe(0);
    expect((await one.view.latest(randomUUID())).size).toBe(0);
  });
});
