import { MultiMap } from './multi-map';

describe('A map of several values by key', () => {
  const [a, b, c] = [{ name: 'a' }, { name: 'b' }, { name: 'c' }];
  let map: MultiMap<string, object>;
  beforeEach(() => {
    map = new MultiMap();
  });
  const sizes = () => [map.size, map.count];

  it('has nothing under a key nobody has used', () => {
    expect([map.of('k'), map.has('k', a), map.delete('k', a), sizes()]).toEqual([[], false, false, [0, 0]]);
  });

  it.each([1, 2, 3])('keeps %s values under a key, and tells when the last one goes', (count) => {
    const values = [a, b, c].slice(0, count);
    for (const value of values) map.add('k', value);
    expect(map.of('k')).toEqual(values);
    expect(sizes()).toEqual([1, count]);
    expect(values.map((value) => map.has('k', value))).toEqual(values.map(() => true));
    expect(values.map((value) => map.delete('k', value))).toEqual(values.map((_, i) => i === count - 1));
    expect([map.of('k'), sizes()]).toEqual([[], [0, 0]]);
  });

  it('counts a value once under one key, and once under each key', () => {
    map.add('k', a);
    map.add('k', a);
    map.add('k', b);
    map.add('k', b);
    map.add('other', a);
    expect([map.of('k'), map.of('other'), sizes()]).toEqual([[a, b], [a], [2, 3]]);
    expect([...map.keys()]).toEqual(['k', 'other']);
  });

  it('does not let go of a value that is not there', () => {
    map.add('k', a);
    expect([map.delete('k', b), map.delete('other', a), map.of('k'), sizes()]).toEqual([false, false, [a], [1, 1]]);
  });

  it('gives the values of the moment, whatever changes while they are gone through', () => {
    map.add('k', a);
    map.add('k', b);
    const seen: object[] = [];
    for (const value of map.of('k')) {
      seen.push(value);
      map.delete('k', b);
      map.add('k', c);
    }
    expect(seen).toEqual([a, b]);
    expect(map.of('k')).toEqual([a, c]);
  });
});
