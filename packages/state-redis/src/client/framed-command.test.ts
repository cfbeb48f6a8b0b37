import { randomBytes } from 'node:crypto';
import { silentLogger } from '@tandem/core';
import { type RedisServer, startRedis } from '../testing/redis-server';
import { Commands } from './commands';
import { closeClient, openClient } from './connections';
import { Frame } from './framed-command';
import type { Script } from './scripts';

const TIMEOUT = 2_000;
const SIZE = 262_144;
const SCRIPT: Script = {
  name: 'keep',
  source: "redis.call('SET', KEYS[1], ARGV[2]) return ARGV[1]",
  // Any: `evalsha` does not know it, and then `eval` gets the source.
  sha: 'c6e3a4ba54ae1ed6ed3c7d14a8f3a9a5b9be0000',
};

describe('A command that is written into memory that was there before', () => {
  let redis: RedisServer;
  let client: ReturnType<typeof openClient>;
  let commands: Commands;

  beforeEach(async () => {
    redis = await startRedis();
    client = openClient({ address: redis.address, cluster: false, timeout: TIMEOUT }, silentLogger);
    commands = new Commands(client, client, { waitReplicas: 0, timeout: TIMEOUT, logger: silentLogger });
  });
  afterEach(async () => {
    await closeClient(client);
    await redis.stop();
  });

  it('brings its bytes as they are, one after the other, also where the script is not known yet', async () => {
    const frame = new Frame(SIZE);
    for (const [n, size] of [SIZE, 1, 0, SIZE - 1].entries()) {
      const bytes = randomBytes(size);
      await expect(commands.write(SCRIPT, [`é${n}`], [42, bytes], frame)).resolves.toBe('42');
      expect((await client.getBuffer(`é${n}`))?.equals(bytes)).toBe(true);
    }
  });

  it('is sent again, as it was, over the connection that comes after a lost one', async () => {
    const bytes = randomBytes(SIZE);
    redis.pause();
    const written = commands.write(SCRIPT, ['a'], [1, bytes], new Frame(SIZE));
    await new Promise((resolve) => setImmediate(resolve));
    client.disconnect(true);
    redis.resume();
    await written;
    expect((await client.getBuffer('a'))?.equals(bytes)).toBe(true);
  });

  it('refuses what does not fit', async () => {
    await expect(commands.write(SCRIPT, ['a'], [1, Buffer.alloc(SIZE + 5_000)], new Frame(SIZE))).rejects.toThrow();
    expect(await client.exists('a')).toBe(0);
  });
});
