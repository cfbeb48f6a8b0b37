import { FakeClock } from './fake-clock';

describe('The fake clock', () => {
  it('stands still until it is moved, and moves both its readings', () => {
    const clock = new FakeClock(1_000);
    expect([clock.now(), clock.monotonic()]).toEqual([1_000, 0]);
    clock.advance(250);
    expect([clock.now(), clock.monotonic()]).toEqual([1_250, 250]);
  });

  it('fires timers when they are due, in order, at their own time', () => {
    const clock = new FakeClock(0);
    const fired: [string, number][] = [];
    const at = (name: string, delay: number) => clock.setTimer(delay, () => fired.push([name, clock.now()]));
    at('late', 30);
    at('first', 10);
    at('second', 10);
    at('never', 31);
    clock.advance(30);
    expect(fired).toEqual([
      ['first', 10],
      ['second', 10],
      ['late', 30],
    ]);
    expect(clock.timers).toBe(1);
  });

  it('fires a timer that another one set on the way, and none that was cancelled', () => {
    const clock = new FakeClock(0);
    const fired: number[] = [];
    const cancelled = clock.setTimer(15, () => fired.push(-1));
    clock.setTimer(10, () => {
      cancelled.cancel();
      clock.setTimer(5, () => fired.push(clock.now()));
    });
    clock.advance(20);
    expect(fired).toEqual([15]);
    expect(clock.timers).toBe(0);
  });
});
