import { RecentChanges } from './recent-changes';

describe('Recent changes of devices', () => {
  it('tell of a device whether it has changed since', () => {
    const changes = new RecentChanges(2);
    changes.of('a');
    const { count } = changes;
    expect([changes.since(0, 'a'), changes.since(count, 'a'), changes.since(0, 'b')]).toEqual([true, false, false]);
    changes.of('a');
    expect(changes.since(count, 'a')).toBe(true);
  });

  it('say of those that are forgotten that they may have, and no more of those after', () => {
    const changes = new RecentChanges(2);
    for (const id of ['a', 'b', 'a', 'c', 'd']) changes.of(id);
    // `b` and `a` have been forgotten, at the second and third change.
    expect([2, 3].map((count) => changes.since(count, 'b'))).toEqual([true, false]);
    expect([3, 4].map((count) => changes.since(count, 'c'))).toEqual([true, false]);
  });

  it('say of all devices that they may have changed where that is so, or where nobody has looked yet', () => {
    const changes = new RecentChanges(2);
    expect(changes.since(-1, 'a')).toBe(true);
    const { count } = changes;
    changes.all();
    expect([changes.since(count, 'a'), changes.since(changes.count, 'a')]).toEqual([true, false]);
  });
});
