import { silentLogger } from '@tandem/core';
import { Lines } from '../testing/lines';
import { MovingName } from '../testing/moving-name';
import { type RedisServer, startRedis } from '../testing/redis-server';
import { reservePort } from '../testing/reserve-port';
import { Commands } from './commands';
import { closeClient, openClient } from './connections';
import { loadScript } from './scripts';

const SET = loadScript('ping');
const TIMEOUT = 400;
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function redis(): Promise<RedisServer> {
  const server = await startRedis();
  closing.push(() => server.stop());
  return server;
}

async function movingName(port: number): Promise<MovingName> {
  const name = await MovingName.open(port);
  closing.push(() => name.close());
  return name;
}

function gateway(address: RedisServer['address'], cluster = false, logger = silentLogger): Commands {
  const client = openClient({ address, cluster, timeout: TIMEOUT }, logger);
  closing.push(() => closeClient(client));
  return new Commands(client, client, { waitReplicas: 0, timeout: TIMEOUT, logger });
}

const set = (commands: Commands) => commands.write(SET, ['hash'], ['field', 1]);

async function untilItWorks(commands: Commands): Promise<void> {
  for (;;) {
    try {
      await set(commands);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

describe('A Redis that goes away', () => {
  it('is one line in the log, with the address and the reason, and one when it is back', async () => {
    const server = await redis();
    const log = new Lines();
    const commands = gateway(server.address, false, log.logger);
    await set(commands);
    expect(log.all).toEqual([]);
    await server.kill9();
    for (let n = 0; n < 5; n++) await expect(set(commands)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    const error = await set(commands).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ message: 'The store does not answer' });
    expect(((error as Error).cause as Error).message).toContain(`ECONNREFUSED 127.0.0.1:${server.port}`);
    expect(commands.lastFailure).toContain(`ECONNREFUSED 127.0.0.1:${server.port}`);
    expect(log.all).toHaveLength(1);
    expect(log.all[0]).toMatchObject({
      level: 'error',
      message: 'Redis does not take commands; callers get 503',
    });
    await server.restart();
    while (log.of(/takes commands again/).length === 0) await untilItWorks(commands);
    expect(log.all).toHaveLength(2);
    expect(commands.lastFailure).toBeUndefined();
  });

  it('is left by close at the latest after the time-out, also where it is a Cluster', async () => {
    const { port, release } = await reservePort();
    const address = { nodes: [{ host: '127.0.0.1', port }], tls: false, username: undefined, password: undefined };
    const commands = gateway({ ...address, database: 0 }, true);
    const call = expect(set(commands)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    const begun = performance.now();
    await commands.close();
    expect(performance.now() - begun).toBeLessThan(TIMEOUT * 2);
    await call;
    release();
  });
});

describe('A connection', () => {
  it('that goes silent is replaced, and what was to be written to it is not written later', async () => {
    const server = await redis();
    const name = await movingName(server.port);
    const commands = gateway(name.address);
    await set(commands);
    name.silence();
    const lost = await commands.write(SET, ['lost'], ['field', 1]).catch((reason: unknown) => reason);
    expect(lost).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await untilItWorks(commands);
    expect(name.connections).toBe(2);
    expect(await server.cli('EXISTS', 'lost')).toBe('0');
  });

  it('to a master that was demoted is replaced: its name may lead to another one', async () => {
    const [old, promoted] = [await redis(), await redis()];
    const name = await movingName(old.port);
    const commands = gateway(name.address);
    await set(commands);
    await old.cli('REPLICAOF', '127.0.0.1', String(promoted.port));
    name.port = promoted.port;
    await expect(set(commands)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await untilItWorks(commands);
    expect(await promoted.cli('HGET', 'hash', 'field')).toBe('1');
  });
});
