import { SeenHellos } from './seen-hellos';

const LIFETIME = 60_000;

describe('ClientHellos that have begun a handshake', () => {
  it('are known for as long as their cookie is good, and forgotten soon after', () => {
    let now = 0;
    const seen = new SeenHellos(100, LIFETIME, () => now);
    now = LIFETIME - 1;
    seen.add('late');
    now += LIFETIME - 1;
    expect(seen.has('late')).toBe(true);
    now += LIFETIME + 2;
    expect([seen.has('late'), seen.size]).toEqual([false, 0]);
  });

  it('are as many as there is room for: the oldest are forgotten first', () => {
    const seen = new SeenHellos(100, LIFETIME, () => 0);
    for (let n = 0; n < 1_000; n++) {
      seen.add(`hello ${n}`);
      expect(seen.size).toBeLessThanOrEqual(100);
      for (let recent = Math.max(0, n - 49); recent <= n; recent++) expect(seen.has(`hello ${recent}`)).toBe(true);
    }
    expect(seen.has('hello 0')).toBe(false);
  });

  it('may begin another one once they are let go', () => {
    const seen = new SeenHellos(100, LIFETIME, () => 0);
    seen.add('hello');
    seen.forget('hello');
    expect([seen.has('hello'), seen.size]).toEqual([false, 0]);
  });
});
