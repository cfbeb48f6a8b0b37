import { MetricsRegistry, silentLogger } from '@tandem/core';
import { Lines } from '../testing/lines';
import { type RedisServer, startRedis } from '../testing/redis-server';
import { Commands } from './commands';
import { closeClient, openClient } from './connections';
import { loadScript } from './scripts';

/** Sets a field of a hash. */
const SET = loadScript('ping');
const TIMEOUT = 3_000;

describe('Writes that a replica has to have', () => {
  let redis: RedisServer;
  let replica: RedisServer;
  const gateways: Gateway[] = [];
  const gateway = (log = silentLogger, timeout = TIMEOUT) => {
    const opened = new Gateway(redis, log, timeout);
    gateways.push(opened);
    return opened;
  };

  beforeEach(async () => {
    redis = await startRedis();
    replica = await startRedis();
  });
  afterEach(async () => {
    redis.resume();
    await Promise.all(gateways.splice(0).map((each) => each.close()));
    await Promise.all([redis.stop(), replica.stop()]);
  });
  const attach = async () => {
    await replica.cli('REPLICAOF', '127.0.0.1', String(redis.port));
    while (!isInStep(await redis.cli('INFO', 'replication'))) await nextTurn();
    // A replica that is in step with nothing written yet gets its first write only after it has spoken.
    await redis.cli('SET', 'attached', 'yes');
    while ((await replica.cli('GET', 'attached').catch(() => '')) !== 'yes') await nextTurn();
  };

  it('never overwrite a later one once they have been refused', async () => {
    const [one, two] = [gateway(), gateway()];
    const refused: Promise<unknown>[] = [];
    for (let n = 0; n < 30; n++) {
      refused.push(one.set('field', `stale-${n}`));
      await nextTurn();
    }
    for (const result of await Promise.allSettled(refused)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'STORE_UNAVAILABLE' } });
    }
    await attach();
    await two.set('field', 'acknowledged');
    // Comes after whatever the first gateway still has on its way.
    await one.waiting.ping();
    expect(await redis.cli('HGET', 'hash', 'field')).toBe('acknowledged');
    expect(one.writesWaiting).toBe(0);
  });

  it('share one WAIT, and each has its own answer', async () => {
    await attach();
    const log = new Lines();
    const one = gateway(log.logger);
    await one.set('warm', 'up');
    await redis.cli('SET', 'foreign', 'value');
    await redis.cli('CONFIG', 'RESETSTAT');
    const writes = Array.from({ length: 200 }, (_, n) => one.set(`field-${n}`, n));
    await expect(one.set('field', 'a-secret', 'foreign')).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(new Set(await Promise.all(writes))).toEqual(new Set([1]));
    expect(Number(/cmdstat_wait:calls=(\d+)/.exec(await redis.cli('INFO', 'commandstats'))?.[1])).toBeLessThan(4);
    expect(await replica.cli('HLEN', 'hash')).toBe('201');
    expect(log.all).toEqual([
      {
        level: 'error',
        message: 'a key of another program is in the place of one of ours; nothing was overwritten',
        fields: { error: expect.stringMatching(/^WRONGTYPE/), script: 'ping', keys: ['foreign'] },
      },
    ]);
    expect(await redis.cli('GET', 'foreign')).toBe('value');
  });

  it('are refused at once where ten thousand wait, and those that were never sent never are', async () => {
    // Long enough for ten thousand writes to be made on a busy machine.
    const one = gateway(silentLogger, 6_000);
    await one.waiting.ping();
    redis.pause();
    const sent = one.set('field', 'sent');
    await nextTurn();
    const waiting = Array.from({ length: 9_999 }, (_, n) => one.set('field', `waiting-${n}`));
    await expect(one.set('field', 'too-many')).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: 'As many writes wait for the store as may',
    });
    // At once: nothing of the others has come to an end.
    expect(one.writesWaiting).toBe(10_000);
    const results = await Promise.allSettled([sent, ...waiting]);
    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    redis.resume();
    await one.commands.during(() => one.waiting.ping());
    expect(['', 'sent']).toContain(await redis.cli('HGET', 'hash', 'field'));
    await expect(one.set('field', 'later')).rejects.toThrow('Only 0 of 1 replicas have the write');
    expect(one.writesWaiting).toBe(0);
  });
});

/** Whether the replica has said that it has all the master has. */
function isInStep(info: string): boolean {
  const own = /^master_repl_offset:(\d+)/m.exec(info)?.[1];
  return own !== undefined && own === /^slave0:.*state=online,offset=(\d+)/m.exec(info)?.[1];
}

/** The commands of one process. */
class Gateway {
  readonly waiting: ReturnType<typeof openClient>;
  readonly commands: Commands;
  readonly #metrics = new MetricsRegistry();
  readonly #client: ReturnType<typeof openClient>;

  constructor(redis: RedisServer, logger = silentLogger, timeout = TIMEOUT) {
    const settings = { address: redis.address, cluster: false, timeout };
    this.#client = openClient(settings, logger);
    this.waiting = openClient(settings, logger);
    const options = { waitReplicas: 1, timeout, logger, metrics: this.#metrics };
    this.commands = new Commands(this.#client, this.waiting, options);
  }

  set(field: string, value: string | number, key = 'hash'): Promise<unknown> {
    return this.commands.write(SET, [key], [field, value]);
  }

  get writesWaiting(): number | undefined {
    return this.#metrics.value('tandem_redis_writes_waiting');
  }

  async close(): Promise<void> {
    await this.commands.close();
    await Promise.all([closeClient(this.#client), closeClient(this.waiting)]);
  }
}

const nextTurn = () => new Promise((resolve) => setTimeout(resolve, 10));
