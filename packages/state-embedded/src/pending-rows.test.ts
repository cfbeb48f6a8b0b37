import { splitEntries } from './entry-codec';
import { PendingRows } from './pending-rows';

const rowsOf = (pending: PendingRows): string[][] => {
  const rows: string[][] = [];
  pending.forEach((bytes, entries) => {
    const texts = splitEntries(bytes.toString('utf8'));
    expect(texts).toHaveLength(entries);
    rows.push(texts);
  });
  return rows;
};

const gathered = (entries: readonly string[]): PendingRows => {
  const pending = new PendingRows();
  for (const entry of entries) pending.add(entry);
  return pending;
};

describe('The entries that are being gathered', () => {
  it('are one row, in the order they came', () => {
    const entries = ['one', 'zwölf', '°C ٤ 🌡', 'four'];
    const pending = gathered(entries);
    expect(rowsOf(pending)).toEqual([entries]);
    expect(pending.entries).toBe(4);
  });

  it('begin another row where one page of the file is full', () => {
    const [half, rest] = ['x'.repeat(2_000), 'y'.repeat(1_999)];
    expect(rowsOf(gathered([half, rest, 'z', half, half]))).toEqual([[half, rest], ['z', half], [half]]);
  });

  it('leave no trace in those of the next turn', () => {
    const pending = gathered(['a long entry of the first turn', 'x'.repeat(5_000)]);
    pending.clear();
    expect([pending.entries, pending.length, rowsOf(pending)]).toEqual([0, 0, []]);
    pending.add('short');
    expect(rowsOf(pending)).toEqual([['short']]);
  });

  it('may be of any size: a large one is a row of its own', () => {
    const large = ['x'.repeat(3_000_000), '€'.repeat(1_000_000)];
    const pending = gathered(['before', ...large, 'after', 'behind it']);
    expect(rowsOf(pending)).toEqual([['before'], ...large.map((entry) => [entry]), ['after', 'behind it']]);
    pending.clear();
    pending.add('the next turn');
    expect(rowsOf(pending)).toEqual([['the next turn']]);
  });

  it('fill the memory to its last byte without losing one', () => {
    for (let size = 43_680; size < 43_700; size++) {
      const entries = ['€'.repeat(size), 'x', '€'.repeat(size), 'y'];
      expect(rowsOf(gathered(entries)).flat()).toEqual(entries);
    }
  });
});
