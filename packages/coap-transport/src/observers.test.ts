import { Observers } from './observers';

function observer() {
  const seen = { superseded: 0, supersede: () => void seen.superseded++ };
  return seen;
}

describe('the observers of one kind', () => {
  it('are one for each device: a newer one ends the older', () => {
    const observers = new Observers();
    const [older, newer, foreign] = [observer(), observer(), observer()];
    observers.enter('d1', older);
    observers.enter('d2', foreign);
    observers.enter('d1', newer);
    expect([older, newer, foreign].map(({ superseded }) => superseded)).toEqual([1, 0, 0]);
  });

  it('are forgotten when they leave', () => {
    const observers = new Observers();
    const [first, second] = [observer(), observer()];
    observers.enter('d1', first);
    observers.leave('d1', first);
    observers.enter('d1', second);
    expect(first.superseded).toBe(0);
  });

  it('do not take the newer one with them when an older one leaves late', () => {
    const observers = new Observers();
    const [older, newer, newest] = [observer(), observer(), observer()];
    observers.enter('d1', older);
    observers.enter('d1', newer);
    observers.leave('d1', older);
    observers.enter('d1', newest);
    expect(newer.superseded).toBe(1);
  });
});
