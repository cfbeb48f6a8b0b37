import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { pointLine, trustedValue } from '@tandem/core';
import { closeEnvironment, openViewEnvironment, type ViewEnvironment } from './environment';
import { bucketOf, rowKey } from './history-rows';
import { nameBytes, uuidBytes } from './keys';
import { deleteFromSeries, expiringKey, readHistory, seriesPrefix } from './series-history';
import { temporaryFolder } from './testing/embedded-store';

const ALL = { startTs: 0, endTs: 1_000_000, limit: 1_000, order: 'ASC' } as const;

describe('A long history that is deleted', () => {
  let folder: string;
  let view: ViewEnvironment;
  beforeEach(async () => {
    folder = await temporaryFolder();
    view = openViewEnvironment(folder);
  });
  afterEach(async () => {
    await closeEnvironment(view);
    await rm(folder, { recursive: true });
  });

  it.each([
    ['remove', undefined],
    ['rewrite', '49 49'],
    ['keep', '949 949'],
  ] as const)('goes in transactions of a bounded size, all of it and no more: latest %s', (latest, left) => {
    const device = uuidBytes(randomUUID());
    const series = seriesPrefix(device, 'key') ?? Buffer.alloc(0);
    const latestKey = Buffer.concat([device, nameBytes('key') ?? Buffer.alloc(0)]);
    const times = Array.from({ length: 95 }, (_, n) => n * 10 + 9);
    view.root.transactionSync(() => {
      for (const [n, ts] of times.entries()) {
        const line = pointLine(ts, trustedValue(String(ts)));
        view.history.put(rowKey(series, bucketOf(ts), n), line);
        view.expiring.put(expiringKey(series, ts), '5000');
        view.latest.put(latestKey, line);
      }
    });
    const transactions = jest.spyOn(view.root, 'transactionSync');
    deleteFromSeries(view, series, latestKey, { startTs: 50, endTs: 950, latest }, 10);
    // Ten at a time, of 95 rows in the bucket and of 90 points that expire.
    expect(transactions.mock.calls.length).toBeGreaterThan(9);
    expect(readHistory(view, series, ALL).map(({ ts }) => ts)).toEqual([9, 19, 29, 39, 49]);
    expect([...view.expiring.getKeys({})]).toHaveLength(5);
    expect(view.latest.get(latestKey)).toBe(left);
  });

  it('is one transaction where it is short', () => {
    const device = uuidBytes(randomUUID());
    const series = seriesPrefix(device, 'key') ?? Buffer.alloc(0);
    view.root.transactionSync(() => view.history.put(rowKey(series, 0, 0), pointLine(1, trustedValue('1'))));
    const transactions = jest.spyOn(view.root, 'transactionSync');
    deleteFromSeries(view, series, device, { startTs: 0, endTs: 9, latest: 'remove' });
    expect(transactions).toHaveBeenCalledTimes(1);
    expect(readHistory(view, series, ALL)).toEqual([]);
  });
});
