import type { LogFields } from '@tandem/core';
import { silentLogger } from '@tandem/core';
import { aMessage } from '@tandem/core/testing';
import { type RedisServer, startRedis } from '../testing/redis-server';
import { PartitionReader } from './partition-reader';
import { partitionOf } from './partitions';
import { until } from './testing/stream-content';
import { openTelemetry } from './testing/telemetry-under-test';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const text = (length: number) => JSON.stringify('x'.repeat(length));

it('a message that is too large for the materialiser is passed over, told once and counted', async () => {
  const errors: [string, LogFields | undefined][] = [];
  const logger = {
    ...silentLogger,
    error: (message: string, fields?: LogFields) => void errors.push([message, fields]),
  };
  const one = await openTelemetry(server.address, { entryMax: 2_000, logger, bounds: { prefix: 'large' } });
  try {
    const id = await one.device();
    await one.append(id, 1);
    await one.log.append(aMessage({ id }, 2, { t: text(3_000) }));
    await one.append(id, 3);
    await one.materialiser.start();
    await one.materialiser.caughtUp();
    expect(await one.times(id)).toEqual([1, 3]);
    // The thread of the materialiser says it after it has gone on.
    await until(() => errors.length > 0);
    const told = [
      'a message is too large for the materialiser: it is not in the view',
      { deviceId: id, bytes: expect.any(Number) },
    ];
    expect(errors).toEqual([told]);
    expect(one.metric('tandem_telemetry_too_large_total')).toBe(1);
    expect(one.log.backlog()).toBe(0);
  } finally {
    await one.close();
  }
});

it('a portion has no more bytes than it may, and what it has no room for comes with the next one', async () => {
  const one = await openTelemetry(server.address, { bounds: { prefix: 'portions' } });
  try {
    const id = await one.device();
    // Small ones first, so that several large ones are read at once.
    const sizes = [
      ...Array.from({ length: 8 }, () => 10),
      ...Array.from({ length: 7 }, () => 1_500_000),
      5_000_000,
      10,
    ];
    for (const [ts, size] of sizes.entries()) await one.log.append(aMessage({ id }, ts, { t: text(size) }));
    const partition = partitionOf(id, one.log.partitions);
    await one.commands.client.set(one.keys.partition(partition, 'lease'), 'me');
    const reader = () => new PartitionReader(one.commands, one.keys, partition, 'me', 86_400_000, 64_000_000);
    const counts: number[] = [];
    for (let current = reader(); counts.reduce((sum, n) => sum + n, 0) < sizes.length; ) {
      const portion = await current.read();
      if (!portion) throw new Error('not ours');
      if (portion.entries.length > 1) expect(portion.bytes).toBeLessThanOrEqual(4_000_000);
      expect(portion.tooLarge).toEqual([]);
      counts.push(portion.entries.length);
      await current.trim(portion.entries);
      // Another process takes over in the middle: what was handed out comes first.
      if (counts.length === 2) current = reader();
    }
    expect(counts).toEqual([10, 2, 2, 1, 1, 1]);
  } finally {
    await one.close();
  }
});
