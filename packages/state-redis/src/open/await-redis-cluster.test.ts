import { openClient } from '../client';
import { closeClient } from '../client/connections';
import { type RedisCluster, startRedisCluster } from '../testing/redis-cluster';
import { reservePort } from '../testing/reserve-port';
import { awaitRedis } from './await-redis';
import { Log, optionsFor } from './testing/log';

describe('A Redis Cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster({ masters: 3, replicas: 1, appendonly: 'everysec', nodeTimeout: 1_000 });
  });
  afterAll(() => cluster.stop());

  it('is recognised, by any of its nodes, also where the first one is away', async () => {
    const log = new Log();
    const [first, ...rest] = cluster.address.nodes;
    const { port, release } = await reservePort();
    expect(await awaitRedis(optionsFor({ ...cluster.address, nodes: first ? [first] : [] }, log))).toMatchObject({
      cluster: true,
    });
    const nodes = [{ host: '127.0.0.1', port }, ...rest];
    expect(await awaitRedis(optionsFor({ ...cluster.address, nodes }, log))).toMatchObject({ cluster: true });
    release();
    expect(log.lines).toEqual([]);
  });

  it('has no databases', async () => {
    const refused = awaitRedis(optionsFor({ ...cluster.address, database: 2 }, new Log()));
    await expect(refused).rejects.toThrow('A Redis Cluster has no database but 0, and not 2 (REDIS_URL)');
  });

  it('is refused when one of its masters is unfit', async () => {
    const master = await cluster.masterOf(9_000);
    await master.cli('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-random');
    await master.cli('CONFIG', 'SET', 'maxmemory', '100mb');
    const refused = awaitRedis(optionsFor(cluster.address, new Log()));
    await expect(refused).rejects.toThrow(`Redis at 127.0.0.1:${master.port} has maxmemory-policy allkeys-random`);
    await master.cli('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
  });

  it('warns when a master has too few replicas', async () => {
    const log = new Log();
    await awaitRedis(optionsFor(cluster.address, log, { waitReplicas: 2 }));
    expect(log.warnings).toHaveLength(3);
  });

  it('is waited for as long as it does not serve all slots', async () => {
    const master = await cluster.killMaster(0);
    const [seed] = cluster.nodes.filter((node) => node !== master);
    const log = new Log();
    const found = awaitRedis(optionsFor({ ...cluster.address, nodes: seed ? seed.address.nodes : [] }, log));
    await log.said(/cannot be used yet/);
    expect(await found).toMatchObject({ cluster: true });
    await cluster.healthy();
    await master.restart();
    await cluster.healthy();
  });

  it('is looked at again, node by node, as they are connected to', async () => {
    const log = new Log();
    const found = await awaitRedis(optionsFor(cluster.address, log));
    const client = openClient({ address: cluster.address, cluster: true, timeout: 10_000 }, log.logger);
    const end = found.watch(client);
    expect(await client.set('key', 'value')).toBe('OK');
    const master = await cluster.masterOf('key');
    const [replica] = await cluster.replicasOf(master);
    await replica?.restart({ args: ['--maxmemory-policy', 'allkeys-lru'] });
    await cluster.healthy();
    expect(log.lines).toEqual([]);
    await master.kill9();
    expect(await client.set('key', 'another')).toBe('OK');
    expect(await log.said(new RegExp(`:${replica?.port} has maxmemory-policy allkeys-lru`))).toMatchObject({
      level: 'warn',
    });
    end();
    await closeClient(client);
  });
});
