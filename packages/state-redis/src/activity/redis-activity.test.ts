import { randomUUID } from 'node:crypto';
import type { ActivityTerms, Uuid } from '@tandem/core';
import { activityKeys } from './activity-keys';
import { LookIndex } from './look-index';
import { ActivityRedis } from './testing/activity-under-test';

const NOON = 1_700_000_000_000;
const MINUTE = 60_000;
const at = (minutes: number): number => NOON + minutes * MINUTE;
const terms = (minutes: number): ActivityTerms => ({ now: at(minutes), defaultTimeout: 10 * MINUTE });

let redis: ActivityRedis;
beforeAll(async () => {
  redis = await ActivityRedis.start();
});
afterEach(async () => {
  await redis.leave();
  await redis.server.cli('FLUSHALL');
});
afterAll(() => redis.stop());

async function device(): Promise<Uuid> {
  const id = randomUUID();
  await redis.begin(id);
  return id;
}

const seen = async (id: Uuid) =>
  Object.fromEntries((await redis.attributes(id)).map(({ key, value }) => [key, value as string]));
const message = (id: Uuid, minutes: number) => new Map([[id, at(minutes)]]);

describe('Connectivity of devices in Redis', () => {
  it('finds a silent device also when the process that reported it died right after', async () => {
    const id = await device();
    await redis.process().report(message(id, 0), terms(0));
    await redis.leave();
    expect((await redis.process().settle(terms(10), 10)).becameInactive).toEqual([id]);
  });

  it('is not disturbed by a process that died before it wrote what it had announced', async () => {
    const id = await device();
    await new LookIndex(redis.commands(), redis.keys).touch(id, at(5));
    expect(await redis.process().settle(terms(10), 10)).toEqual({ looked: 1, becameInactive: [] });
    expect(await redis.indexed()).toEqual([]);
    expect(await seen(id)).toEqual({});
  });

  it('does not lose a device that becomes active while a monitor takes it off the list', async () => {
    const id = await device();
    const index = new LookIndex(redis.commands(), redis.keys);
    const process = redis.process();
    for (const due of [at(1), at(15)]) {
      await index.touch(id, due);
      const [look] = await index.due(at(20), 10);
      if (!look) throw new Error('nothing is due');
      await process.report(message(id, 5), terms(5));
      await index.move(look, '');
      expect((await process.settle(terms(15), 10)).becameInactive).toEqual([id]);
      await redis.server.cli('DEL', activityKeys(redis.keys, id).activity);
    }
  });

  it('finds a device that the index lost in a fail-over, if it sent something in another hour since', async () => {
    const id = await device();
    const process = redis.process();
    await process.report(message(id, 0), terms(0));
    await redis.server.cli('DEL', redis.keys.activityOf(id));
    await process.report(message(id, 5), terms(5));
    expect(await redis.indexed()).toEqual([]);
    for (let minutes = 10; minutes <= 65; minutes += 5) await process.report(message(id, minutes), terms(minutes));
    expect(await redis.indexed()).toEqual([id]);
    expect((await process.settle(terms(75), 10)).becameInactive).toEqual([id]);
  });

  it('keeps nothing of a deleted device once a monitor has looked', async () => {
    const id = await device();
    const process = redis.process();
    await process.report(message(id, 0), terms(0));
    await process.opened(id, 'one', at(0), at(3), terms(0));
    await redis.end(id);
    await process.settle(terms(20), 10);
    expect(await redis.server.cli('KEYS', '*')).toBe('');
  });

  it('notes the activity of a device whose maker died before the slot of the device was made', async () => {
    const id = randomUUID();
    redis.unborn.add(id);
    expect(await redis.process().report(message(id, 0), terms(0))).toEqual([id]);
    expect(await seen(id)).toMatchObject({ active: 'true' });
  });

  it('goes on with the others where a key of another program is in the way of one, and leaves that alone', async () => {
    const [foreign, mine] = [await device(), await device()];
    const { activity } = activityKeys(redis.keys, foreign);
    await redis.server.cli('SET', activity, 'theirs');
    const process = redis.process();
    const both = new Map([
      [foreign, NOON],
      [mine, NOON],
    ]);
    expect(await process.report(both, terms(0))).toEqual([mine]);
    await new LookIndex(redis.commands(), redis.keys).touch(foreign, at(1));
    expect(await process.settle(terms(10), 10)).toEqual({ looked: 2, becameInactive: [mine] });
    expect(await process.settle(terms(10), 10)).toEqual({ looked: 0, becameInactive: [] });
    expect(await redis.server.cli('GET', activity)).toBe('theirs');
    expect(await seen(foreign)).toEqual({});
  });

  it('says STORE_UNAVAILABLE while Redis is away, and goes on when it is back', async () => {
    const id = await device();
    const process = redis.process();
    await process.report(message(id, 0), terms(0));
    await redis.server.kill9();
    for (const call of [process.report(message(id, 1), terms(1)), process.settle(terms(1), 10)]) {
      await expect(call).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    }
    await redis.server.restart();
    await redis.begin(id);
    expect(await redis.process().report(message(id, 2), terms(2))).toEqual([id]);
  });
});
