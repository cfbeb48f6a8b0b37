import type { Uuid } from '@tandem/core';
import { type RedisServer, startRedis } from '../testing/redis-server';
import { partitionOf } from './partitions';
import { CuttingProxy } from './testing/cutting-proxy';
import { until } from './testing/stream-content';
import { openTelemetry, type TelemetryGiven, type TelemetryUnderTest } from './testing/telemetry-under-test';

/** In an answer with entries of the log: the name of the field that has the message. */
const HANDED_OUT = '$1\r\nm\r\n';
const LEASE = 1_000;
const DAY = 86_400_000;
const PARTITIONS = 4;

let server: RedisServer;
let ends: (() => unknown)[] = [];

beforeEach(async () => {
  server = await startRedis({ appendonly: 'always' });
  ends = [() => server.stop()];
});
afterEach(async () => {
  for (const end of ends.reverse()) await end();
});

interface OneOfThem {
  readonly proxy: CuttingProxy;
  readonly own: TelemetryUnderTest;
}

async function gateway(bounds: TelemetryGiven['bounds'] = {}): Promise<OneOfThem> {
  const proxy = await CuttingProxy.start(server.port);
  const own = await openTelemetry(proxy.address, { lease: LEASE, bounds: { partitions: PARTITIONS, ...bounds } });
  ends.push(async () => {
    await own.close();
    proxy.stop();
  });
  return { proxy, own };
}

/** Redis is killed when it has handed out entries and nobody has heard of it, and is back before they are given up. */
async function dieHandingOut(proxy: CuttingProxy): Promise<void> {
  await proxy.cutNextAnswer(HANDED_OUT);
  proxy.hold();
  await server.kill9();
  await server.restart();
  proxy.release();
}

/** Who has the leases, by partition. */
const owners = ({ commands, keys }: TelemetryUnderTest) =>
  commands.client.mget(Array.from({ length: PARTITIONS }, (_, partition) => keys.partition(partition, 'lease')));

/** Whether the log has taken it. */
const accepts = (own: TelemetryUnderTest, id: Uuid, ts: number): Promise<boolean> =>
  own.append(id, ts).then(
    () => true,
    () => false,
  );

describe('What was accepted gets into the view, although Redis was killed when it had just handed it out,', () => {
  it('where the process that reads lives on', async () => {
    const { proxy, own } = await gateway();
    const id = await own.device();
    await own.materialiser.start();
    await Promise.all([dieHandingOut(proxy), own.append(id, 1)]);
    await own.append(id, 2);
    await until(async () => (await own.times(id)).includes(2));
    expect(await own.times(id)).toEqual([1, 2]);
    await own.materialiser.caughtUp();
    expect(own.log.backlog()).toBe(0);
  });

  it('where that process ends later', async () => {
    const [{ proxy, own }, { own: other }] = [await gateway(), await gateway()];
    const id = await own.device();
    await own.materialiser.start();
    await Promise.all([dieHandingOut(proxy), own.append(id, 1)]);
    await own.append(id, 2);
    await until(async () => (await own.times(id)).includes(2));
    await own.materialiser.stop();
    await other.materialiser.start();
    await other.materialiser.caughtUp();
    expect(await other.times(id)).toEqual([1, 2]);
    expect(other.log.backlog()).toBe(0);
  });

  it('where that process dies with it', async () => {
    const [{ proxy, own }, { own: other }] = [await gateway({ timeout: 1_000 }), await gateway()];
    const id = await own.device();
    await own.materialiser.start();
    const dead = proxy.cutNextAnswer(HANDED_OUT).then(() => proxy.stop());
    await other.append(id, 1);
    await dead;
    await server.kill9();
    await server.restart();
    await other.materialiser.start();
    await until(() => accepts(other, id, 2));
    await other.materialiser.caughtUp();
    expect(await other.times(id)).toEqual([1, 2]);
    expect(other.log.backlog()).toBe(0);
  });

  it('where two processes share the partitions, while the retention goes on', async () => {
    const both = [await gateway({ historyMaxAge: DAY }), await gateway({ historyMaxAge: DAY })] as const;
    const [{ own: one }] = both;
    const id = await one.device();
    await one.commands.client.hset(one.keys.registry('epochs'), id, 'epoch');
    await one.append(id, 1);
    for (const { own } of both) await own.materialiser.start();
    // From now on they stay with whom they are.
    await until(async () => (await owners(one)).filter((owner) => owner === one.processId).length === PARTITIONS / 2);
    await one.materialiser.caughtUp();
    const owner = (await owners(one))[partitionOf(id, PARTITIONS)];
    const [reading, other] = one.processId === owner ? both : [both[1], both[0]];
    const swept = other.own.materialiser.swept();
    const now = Date.now();
    await Promise.all([dieHandingOut(reading.proxy), reading.own.append(id, now)]);
    await other.own.append(id, now + 1);
    await until(async () => (await one.times(id)).includes(now + 1));
    await swept;
    await one.materialiser.caughtUp();
    expect(await one.times(id)).toEqual([now, now + 1]);
    await until(() => one.log.backlog() === 0);
  });
});
