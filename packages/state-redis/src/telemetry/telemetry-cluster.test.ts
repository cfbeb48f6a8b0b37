import { type RedisCluster, startRedisCluster } from '../testing/redis-cluster';
import { logged, until } from './testing/stream-content';
import { openTelemetry, type TelemetryUnderTest } from './testing/telemetry-under-test';

let cluster: RedisCluster;
let one: TelemetryUnderTest;

beforeAll(async () => {
  cluster = await startRedisCluster({ nodeTimeout: 1_000 });
  one = await openTelemetry(cluster.address, { cluster: true, bounds: { waitReplicas: 1, partitions: 8 } });
}, 60_000);
afterAll(async () => {
  await one.close();
  await cluster.stop();
});

it('what a Cluster accepted is there once, in order and then in the view, when a master dies under load', async () => {
  let stop = false;
  let accepted = 0;
  const kept = new Map<string, number[]>();
  const lane = async () => {
    const id = await one.device();
    const own: number[] = [];
    kept.set(id, own);
    for (let n = 0; !stop; n++) {
      const outcome = await one.append(id, n).then(
        () => true,
        () => false,
      );
      if (!outcome) continue;
      own.push(n);
      accepted++;
    }
  };
  const lanes = Array.from({ length: 24 }, lane);
  await until(() => accepted > 1_000);
  const victim = await cluster.killMaster(one.keys.telemetry(0));
  await cluster.healthy();
  await victim.restart();
  await cluster.healthy();
  const before = accepted;
  await until(() => accepted > before + 1_000);
  stop = true;
  await Promise.all(lanes);

  const content = await logged(one);
  for (const [id, own] of kept) {
    const there = content.get(id) ?? [];
    expect(there).toEqual([...new Set(there)].sort((a, b) => a - b));
    const found = new Set(there);
    expect(own.filter((n) => !found.has(n))).toEqual([]);
  }
  await one.materialiser.start();
  await one.materialiser.caughtUp();
  for (const id of kept.keys()) expect(await one.times(id)).toEqual(content.get(id));
  expect(one.log.backlog()).toBe(0);
}, 60_000);
