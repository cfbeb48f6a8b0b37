import { RestartPause } from './restart-pause';

describe('A worker that ended', () => {
  it('is started again soon', () => {
    expect(new RestartPause().next(10_000)).toBe(500);
  });

  it('again and again waits longer each time, and half a minute at the most', () => {
    const pause = new RestartPause();
    expect(Array.from({ length: 9 }, () => pause.next(0))).toEqual([
      500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
    ]);
  });

  it('after a minute in which all was well counts as the first one', () => {
    const pause = new RestartPause();
    for (let n = 0; n < 5; n++) pause.next(0);
    expect(pause.next(60_000)).toBe(500);
    expect(pause.next(0)).toBe(1_000);
  });
});
