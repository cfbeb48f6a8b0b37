import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { pointLine, trustedValue } from '@tandem/core';
import { closeEnvironment, openViewEnvironment, type ViewEnvironment } from './environment';
import { bucketOf, rowKey } from './history-rows';
import { uuidBytes } from './keys';
import { type Pass, progressOf, type RetentionRules, storedPass, sweep } from './retention';
import { expiringKey, readHistory, seriesPrefix } from './series-history';
import { temporaryFolder } from './testing/embedded-store';

const NOW = 1_700_000_000_000;
const MINUTE = 60_000;
const ALL = { startTs: 0, endTs: NOW * 2, limit: 1_000_000, order: 'ASC' } as const;
const NEVER: RetentionRules = { maxAge: 0, maxPoints: undefined };

describe('A pass of the retention over the view', () => {
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

  /** A new series with a row for each point. */
  function series(times: readonly number[]): Buffer {
    const prefix = seriesPrefix(uuidBytes(randomUUID()), 'key') ?? Buffer.alloc(0);
    for (const [n, ts] of times.entries()) {
      void view.history.put(rowKey(prefix, bucketOf(ts), n), pointLine(ts, trustedValue(String(n))));
    }
    return prefix;
  }

  const filled = <T>(fill: () => T): T => view.root.transactionSync(fill);
  const times = (of: Buffer) => readHistory(view, of, ALL).map(({ ts }) => ts);

  /** Step by step to the end of a pass. */
  function pass(rules: RetentionRules, now = NOW): { steps: Pass[]; removed: number } {
    const steps: Pass[] = [];
    let removed = 0;
    do {
      const step = sweep(view, rules, now);
      steps.push(step.pass);
      removed += step.removed;
    } while (storedPass(view).ended === 0);
    return { steps, removed };
  }

  it('takes many short steps over many series, and in the end has looked at all of them', () => {
    const all = filled(() => Array.from({ length: 2_000 }, () => series([NOW - 9 * MINUTE, NOW - 8 * MINUTE, NOW])));
    const { steps, removed } = pass({ maxAge: 5 * MINUTE, maxPoints: undefined });
    expect(steps.length).toBeGreaterThan(2);
    expect(removed).toBe(4_000);
    for (const one of all) expect(times(one)).toEqual([NOW]);
    const progress = steps.map(progressOf);
    expect([...progress].sort((a, b) => a - b)).toEqual(progress);
    expect(progress.at(-1)).toBe(1);
  });

  it('goes on after a restart where it was', async () => {
    filled(() => Array.from({ length: 2_000 }, () => series([NOW - 9 * MINUTE, NOW])));
    const rules = { maxAge: 5 * MINUTE, maxPoints: undefined };
    for (let n = 0; n < 3; n++) sweep(view, rules, NOW);
    const before = storedPass(view);
    expect(before).toMatchObject({ begun: NOW, ended: 0, at: 'history' });
    expect(before.cursor).not.toBe('');
    await closeEnvironment(view);
    view = openViewEnvironment(folder);
    expect(storedPass(view)).toEqual(before);
    const { steps } = pass(rules, NOW + 1);
    expect(steps[0]?.begun).toBe(NOW);
    expect(steps.at(-1)?.ended).toBe(NOW + 1);
    expect(view.history.getKeysCount()).toBe(2_000);
  });

  it('removes a long series in several steps, the oldest points first, and loses none that stays', () => {
    const long = filled(() => series(Array.from({ length: 40_000 }, (_, n) => NOW - 50_000_000 + n * 1_000)));
    const newest = times(long).slice(-1_000);
    const { steps, removed } = pass({ maxAge: 0, maxPoints: 1_000 });
    expect(steps.length).toBeGreaterThan(2);
    expect(removed).toBe(39_000);
    expect(times(long)).toEqual(newest);
  });

  it('keeps exactly so many points, whichever way they are spread over minutes and rows', () => {
    const spreads = [
      [1, 2, 3, 4, 5, 6].map((n) => n * MINUTE),
      [1, 2, 3, 4, 5, 6],
      [1, 2, 3, MINUTE, MINUTE + 1, 2 * MINUTE],
      [1, MINUTE, MINUTE + 1, MINUTE + 2, 2 * MINUTE, 2 * MINUTE],
      [1, 1, 1, 1, 1],
    ];
    for (let max = 1; max <= 7; max++) {
      const all = filled(() => spreads.map(series));
      pass({ maxAge: 0, maxPoints: max });
      for (const [n, one] of all.entries()) {
        const distinct = [...new Set(spreads[n])].sort((a, b) => a - b);
        expect(times(one)).toEqual(distinct.slice(-max));
      }
      filled(() => {
        for (const key of [...view.history.getKeys()]) void view.history.remove(key);
      });
    }
  });

  it('merges the rows of minutes that are over, once, and no point is lost or changed', () => {
    const spread = Array.from({ length: 200 }, (_, n) => NOW - 20 * MINUTE + n * 6_000);
    const one = filled(() => series([...spread, spread[5] ?? 0, NOW + MINUTE]));
    const before = readHistory(view, one, ALL);
    expect(view.history.getKeysCount()).toBe(202);
    pass(NEVER);
    expect(readHistory(view, one, ALL)).toEqual(before);
    // Minutes up to five before now have a row each.
    const open = spread.filter((ts) => bucketOf(ts) >= bucketOf(NOW - 5 * MINUTE)).length + 1;
    const closed = new Set(spread.filter((ts) => bucketOf(ts) < bucketOf(NOW - 5 * MINUTE)).map(bucketOf)).size;
    expect(view.history.getKeysCount()).toBe(open + closed);
    // What a later step writes counts before what was merged.
    const changed = spread[7] ?? 0;
    filled(() => view.history.put(rowKey(one, bucketOf(changed), 999), pointLine(changed, trustedValue('"later"'))));
    expect(readHistory(view, one, { ...ALL, startTs: changed, limit: 1 })).toEqual([{ ts: changed, value: '"later"' }]);
    pass(NEVER, NOW + 60 * MINUTE);
    expect(readHistory(view, one, ALL)).toEqual(
      before.map((point) => (point.ts === changed ? { ts: changed, value: '"later"' } : point)),
    );
    expect(view.history.getKeysCount()).toBeLessThan(closed + 10);
  });

  it('merges a long history in several steps, into rows of a page', () => {
    const long = filled(() => series(Array.from({ length: 30_000 }, (_, n) => NOW - 60 * MINUTE + n * 100)));
    const before = readHistory(view, long, ALL);
    const { steps } = pass(NEVER);
    expect(steps.length).toBeGreaterThan(2);
    expect(readHistory(view, long, ALL)).toEqual(before);
    const rows = [...view.history.getRange()].map(({ value }) => value.length);
    expect(rows.length).toBeLessThan(500);
    expect(Math.max(...rows)).toBeLessThanOrEqual(3_500);
  });

  it('removes what is over even where nothing else is to be removed', () => {
    const one = filled(() => series([5, 6, MINUTE]));
    filled(() => {
      void view.expiring.put(expiringKey(one, 5), String(NOW));
      void view.expiring.put(expiringKey(one, 6), String(NOW + 1));
    });
    expect(pass(NEVER).removed).toBe(1);
    expect(times(one)).toEqual([6, MINUTE]);
    expect(pass(NEVER, NOW + 1).removed).toBe(1);
    expect(times(one)).toEqual([MINUTE]);
    expect(view.expiring.getKeysCount()).toBe(0);
  });
});
