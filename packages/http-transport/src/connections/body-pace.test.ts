import { BodyPace } from './body-pace';

/** 1,000 bytes a second, after 10 s. */
const RATE = { min: 1_000, grace: 10_000 };

describe('A body that has to come at a rate', () => {
  it('has its grace to begin in', () => {
    const pace = new BodyPace(RATE, 0, 500);
    expect(pace.keeps(10_000, 500)).toBe(true);
    expect(pace.keeps(10_001, 500)).toBe(false);
  });

  it('may take hours at the rate', () => {
    const pace = new BodyPace(RATE, 0, 0);
    for (let second = 1; second <= 7_200; second++) expect(pace.keeps(second * 1_000, second * 1_000)).toBe(true);
  });

  it('is too slow at half of it, once the grace is used up', () => {
    const pace = new BodyPace(RATE, 0, 0);
    let second = 0;
    while (pace.keeps(++second * 1_000, second * 500));
    expect(second).toBe(21);
  });

  it('may stand still for half a minute after much has come, and no longer, however much that was', () => {
    const pace = new BodyPace(RATE, 0, 0);
    expect(pace.keeps(1_000, 50_000_000)).toBe(true);
    expect(pace.keeps(31_000, 50_000_000)).toBe(true);
    expect(pace.keeps(31_001, 50_000_000)).toBe(false);
  });

  it('has its grace again after others were waited for', () => {
    const pace = new BodyPace(RATE, 0, 0);
    pace.pause(60_000);
    expect(pace.keeps(70_000, 0)).toBe(true);
    expect(pace.keeps(70_001, 0)).toBe(false);
  });
});
