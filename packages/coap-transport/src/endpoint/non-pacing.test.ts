import { NonPacing, smoothed } from './non-pacing';

describe('the pace of NON notifications to one peer', () => {
  /** How many pass at this time, up to 100, when each is acknowledged. */
  function pass(pacing: NonPacing, roundTrip: number, now: number): number {
    let count = 0;
    for (; count < 100 && pacing.mayPass(roundTrip, now); count++) {
      pacing.passed();
      pacing.answered();
    }
    return count;
  }

  it('begins with a burst and goes on with one per round trip', () => {
    const pacing = new NonPacing(8, 0);
    expect(pass(pacing, 500, 0)).toBe(8);
    expect(pass(pacing, 500, 499)).toBe(0);
    expect(pass(pacing, 500, 500)).toBe(1);
    expect(pass(pacing, 500, 1_999)).toBe(2);
    expect(pass(pacing, 500, 2_000)).toBe(1);
  });

  it('goes on with one in 3 s while the round trip is not known', () => {
    const pacing = new NonPacing(8, 0);
    expect(pass(pacing, -1, 0)).toBe(8);
    expect(pass(pacing, -1, 2_999)).toBe(0);
    expect(pass(pacing, -1, 3_000)).toBe(1);
  });

  it('saves up no more than a burst', () => {
    const pacing = new NonPacing(3, 0);
    expect(pass(pacing, 10, 1_000_000)).toBe(3);
  });

  it('is one per millisecond where a round trip takes no time', () => {
    const pacing = new NonPacing(2, 0);
    expect(pass(pacing, 0, 0)).toBe(2);
    expect(pass(pacing, 0, 1)).toBe(1);
  });

  it('stops after a burst without an acknowledgement, however long it takes', () => {
    const pacing = new NonPacing(3, 0);
    for (let i = 1; i <= 3; i++) {
      expect(pacing.mayPass(10, i * 1_000_000)).toBe(true);
      pacing.passed();
    }
    expect(pacing.mayPass(10, 9_000_000)).toBe(false);
    pacing.answered();
    expect(pacing.mayPass(10, 9_000_000)).toBe(true);
  });
});

describe('the smoothed round-trip time', () => {
  it('is the first sample, then an eighth of each new one and the rest of what it was, in whole milliseconds', () => {
    expect(smoothed(-1, 40.4)).toBe(40);
    expect(smoothed(40, 120)).toBe(50);
    expect(smoothed(50, 50)).toBe(50);
    expect(smoothed(100, 0)).toBe(88);
  });
});
