import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cluster, Redis } from 'ioredis';
import { startRedisCluster } from '../packages/state-redis/src/testing/redis-cluster';
import { type RedisServer, startRedis } from '../packages/state-redis/src/testing/redis-server';
import { ConsumerProcess, SinkFile } from './support/consumer-process';
import { eventually } from './support/eventually';
import { cleanUp, type Environment, GatewayProcess, ROOT, temporaryFolder } from './support/gateway-process';
import { HttpDevice } from './support/http-device';
import { ServerClient } from './support/server-client';

const GUIDE = readFileSync(join(ROOT, 'docs', 'guides', 'consume-telemetry.md'), 'utf8');
const SLOW_SINK = join(ROOT, 'test', 'support', 'slow-sink.mjs');
const FAILING_SINK = join(ROOT, 'test', 'support', 'failing-sink.mjs');
const GROUP = 'rule-engine';
const PARTITIONS = Array.from({ length: 8 }, (_, partition) => partition);
const DEVICES = 12;
const LEASE_MS = 1_000;

interface Store {
  readonly url: string;
  readonly nodes: readonly RedisServer[];
  stop(): Promise<void>;
}

const STORES: readonly (readonly [kind: string, start: () => Promise<Store>])[] = [
  [
    'one Redis',
    async () => {
      const redis = await startRedis();
      return { url: redis.url, nodes: [redis], stop: () => redis.stop() };
    },
  ],
  ['a Redis Cluster', () => startRedisCluster({ masters: 3, replicas: 0 })],
];

afterEach(() => ConsumerProcess.endAll());
afterAll(cleanUp);

describe.each(STORES)('The example of a telemetry consumer, on %s', (_kind, start) => {
  let store: Store;
  let redis: Redis | Cluster;
  let gateway: GatewayProcess;
  let devices: readonly Sender[];
  const sink = new SinkFile(join(temporaryFolder(), 'messages'));
  const consumer = (name: string, settings: Environment = {}): ConsumerProcess =>
    new ConsumerProcess(name, sink, {
      ...settings,
      REDIS_URL: store.url.replaceAll('redis://', 'redis://consumer:password@'),
      LEASE_MS: String(LEASE_MS),
    });
  const streamsOf = async (name: string): Promise<number[]> => {
    const owners = await Promise.all(PARTITIONS.map((partition) => redis.get(`${GROUP}:lease:{${partition}}`)));
    return PARTITIONS.filter((partition) => owners[partition] === name);
  };
  const shares = (...expected: readonly (readonly [name: string, streams: number])[]) =>
    eventually(async () => {
      const found = await Promise.all(expected.map(async ([name]) => (await streamsOf(name)).length));
      return found.every((streams, index) => streams === expected[index]?.[1]) ? undefined : `streams: ${found}`;
    });

  beforeAll(async () => {
    store = await start();
    redis = store.nodes.length > 1 ? new Cluster(store.url.split(',')) : new Redis(store.url);
    for (const node of store.nodes) await node.cli(...aclOfTheGuide());
    gateway = await GatewayProcess.start({ REDIS_URL: store.url, TANDEM_ROLES: 'http,api' });
    const server = await ServerClient.login(gateway.http);
    devices = await Promise.all(
      Array.from({ length: DEVICES }, async (_, index) => {
        const token = `sender-${index}`;
        return new Sender(await server.createDevice(token), new HttpDevice(gateway.http, token));
      }),
    );
  });

  afterAll(async () => {
    redis.disconnect();
    await gateway.stop();
    await store.stop();
  });

  it('hands each message over exactly as it was accepted', async () => {
    const only = consumer('only');
    await shares(['only', 8]);
    const [device] = devices;
    if (!device) throw new Error('no device');
    const body =
      '[{"ts":1700000000000,"values":{"d":42.0,"l":9007199254740993,"s":"ä\\n","j":{"a":[1.0]}}},{"ts":1,"values":{"b":true}}]';
    expect((await device.http.post('telemetry', body)).status).toBe(200);
    await eventually(() => (sink.lines.length === 1 ? undefined : only.stderr));
    expect(sink.lines[0]).toMatch(/^\{"id":"\d+-\d+","partition":\d,"device":"/);
    expect(sink.lines[0]).toContain(`"device":"${device.id}","records":${body}}`);
    expect(await only.end('SIGTERM')).toBe(0);
    expect(only.stderr).toBe('');
  });

  it('hands the same messages over again when its sink fails, and what came meanwhile behind them', async () => {
    const [device] = devices;
    if (!device) throw new Error('no device');
    const before = sink.lines.length;
    const patient = consumer('patient', { SINK: FAILING_SINK });
    await shares(['patient', 8]);
    for (const n of [1, 2, 3]) expect((await device.http.post('telemetry', `{"n":${n}}`)).status).toBe(200);
    await eventually(() => (sink.lines.length === before + 3 ? undefined : patient.stderr));
    expect(sink.messages.slice(before).map(({ records }) => records[0]?.values.n)).toEqual([1, 2, 3]);
    expect(patient.stderr).toMatch(/^tandem:telemetry:\{\d\}: the sink is away\n$/);
    expect(await patient.end('SIGTERM')).toBe(0);
  });

  it('makes its group anew after it was ended, and goes on', async () => {
    const [device] = devices;
    if (!device) throw new Error('no device');
    const forgotten = consumer('forgotten');
    await shares(['forgotten', 8]);
    await Promise.all(PARTITIONS.map((partition) => redis.xgroup('DESTROY', `tandem:telemetry:{${partition}}`, GROUP)));
    await eventually(() => (forgotten.stderr.split('NOGROUP').length > PARTITIONS.length ? undefined : 'no complaint'));
    await eventually(async () => {
      const groups = await Promise.all(PARTITIONS.map((n) => redis.xinfo('GROUPS', `tandem:telemetry:{${n}}`)));
      return JSON.stringify(groups).split(GROUP).length > PARTITIONS.length ? undefined : 'no groups';
    });
    expect((await device.http.post('telemetry', '{"again":true}')).status).toBe(200);
    // What was not trimmed yet comes again, before it.
    await eventually(() => (sink.lines.at(-1)?.includes('"values":{"again":true}') ? undefined : forgotten.stderr));
    expect(await forgotten.end('SIGTERM')).toBe(0);
  });

  it('loses no acknowledged message and no order when one of two processes is killed under load', async () => {
    const before = sink.lines.length;
    const [killed, survivor] = [consumer('killed', { SINK: SLOW_SINK }), consumer('survivor')];
    await shares(['killed', 4], ['survivor', 4]);
    const loads = devices.map((device) => device.load());
    const handedOver = (count: number) =>
      eventually(() => (sink.lines.length >= before + count ? undefined : `only ${sink.lines.length} lines`));
    await handedOver(500);

    const lost = await streamsOf('killed');
    const inHand = async () => (await Promise.all(lost.map((partition) => pendingIds(redis, partition)))).flat();
    await eventually(async () => ((await inHand()).length > 0 ? undefined : 'it has nothing in hand'));
    await killed.end('SIGKILL');
    const inFlight = new Set(await inHand());
    await shares(['killed', 0], ['survivor', 8]);
    await handedOver(sink.lines.length - before + 500);
    for (const device of devices) device.enough();
    await Promise.all(loads);

    const seen = () => sink.messages.slice(before);
    await eventually(() => {
      const numbers = new Set(seen().map(({ device, records }) => `${device} ${records[0]?.values.n}`));
      const missing = devices.flatMap(({ id, sent }) =>
        [...Array(sent).keys()].filter((n) => !numbers.has(`${id} ${n}`)),
      );
      return missing.length === 0 ? undefined : `${missing.length} messages are missing`;
    });

    const first = new Map<string, (typeof messages)[number]>();
    const messages = seen();
    const repeated = messages.filter((message) => {
      const key = `${message.partition} ${message.id}`;
      const known = first.has(key);
      if (!known) first.set(key, message);
      return known;
    });
    expect(repeated.filter(({ partition, id }) => !inFlight.has(`${partition} ${id}`))).toEqual([]);
    for (const { id, sent } of devices) {
      const numbers = [...first.values()]
        .filter(({ device }) => device === id)
        .map(({ records }) => records[0]?.values.n);
      expect(numbers).toEqual([...Array(sent).keys()]);
    }
    expect(survivor.stderr).toBe('');
    expect(await survivor.end('SIGTERM')).toBe(0);
  });

  it('gives a newcomer its share, and all to who is left after an orderly stop, without a message twice', async () => {
    const [early, late] = [consumer('early'), consumer('late')];
    await shares(['early', 4], ['late', 4]);
    const before = sink.lines.length;
    const loads = devices.map((device) => device.load());
    await eventually(() => (sink.lines.length >= before + 100 ? undefined : 'nothing comes'));
    expect(await early.end('SIGTERM')).toBe(0);
    await shares(['early', 0], ['late', 8]);
    for (const device of devices) device.enough();
    await Promise.all(loads);
    const expected = devices.reduce((sum, { sent }) => sum + sent, 0);
    await eventually(() => (sink.lines.length - before >= expected ? undefined : `${sink.lines.length - before}`));
    const ids = sink.messages.slice(before).map(({ partition, id }) => `${partition} ${id}`);
    expect(ids).toHaveLength(expected);
    expect(new Set(ids).size).toBe(expected);
    expect(late.stderr).toBe('');
  });
});

/** A device that sends one message after the other, each with a number from 0. All must be accepted. */
class Sender {
  #wanted = false;
  sent = 0;

  constructor(
    readonly id: string,
    readonly http: HttpDevice,
  ) {}

  async load(): Promise<void> {
    this.#wanted = true;
    for (this.sent = 0; this.#wanted; this.sent += 1) {
      const { status } = await this.http.post('telemetry', `{"n":${this.sent}}`);
      if (status !== 200) throw new Error(`telemetry: ${status}`);
    }
  }

  enough(): void {
    this.#wanted = false;
  }
}

/** What the group was handed of a stream and has not acknowledged. */
async function pendingIds(redis: Redis | Cluster, partition: number): Promise<string[]> {
  const pending = await redis.xpending(`tandem:telemetry:{${partition}}`, GROUP, '-', '+', 10_000);
  return (pending as [id: string, ...unknown[]][]).map(([id]) => `${partition} ${id}`);
}

/** The user that the guide gives the consumer, as words of a command. */
function aclOfTheGuide(): string[] {
  const line = /^ACL SETUSER consumer [^`]+?$(?=\n```)/m.exec(GUIDE)?.[0];
  if (line === undefined) throw new Error('the guide has no ACL SETUSER');
  return line.replaceAll('\\\n', ' ').split(/\s+/);
}
