import { FakeClock } from './testing/fake-clock';
import { FakeRandom } from './testing/fake-random';
import { TimerEntry, TimerWheel } from './timer-wheel';

class Entry extends TimerEntry {
  constructor(readonly act: () => void) {
    super();
  }
  override expire(): void {
    this.act();
  }
}

describe('the timer wheel', () => {
  it('fires never early and at most a granule late, over waits shorter and longer than one turn', async () => {
    const clock = new FakeClock();
    const wheel = new TimerWheel(clock, 20, 64);
    const random = new FakeRandom(3);
    const late: number[] = [];
    for (let i = 0; i < 500; i++) {
      await clock.advance(random.fraction() * 30);
      const due = clock.monotonic() + random.fraction() * 9_000;
      wheel.schedule(new Entry(() => late.push(clock.monotonic() - due)), due - clock.monotonic());
    }
    await clock.advance(10_000);
    expect(late).toHaveLength(500);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...late)).toBeLessThanOrEqual(21);
  });

  it('an entry that is cancelled never fires, also by one that fires in the same granule', async () => {
    const clock = new FakeClock();
    const wheel = new TimerWheel(clock);
    const fired: string[] = [];
    const a: Entry = new Entry(() => {
      fired.push('a');
      wheel.cancel(b);
    });
    const b: Entry = new Entry(() => {
      fired.push('b');
      wheel.cancel(a);
    });
    wheel.schedule(a, 100);
    wheel.schedule(b, 100);
    await clock.advance(200);
    expect(fired).toHaveLength(1);
    expect(wheel.size).toBe(0);
  });

  it('an entry may schedule itself again while shorter waits are pending', async () => {
    const clock = new FakeClock();
    const wheel = new TimerWheel(clock);
    const fired: string[] = [];
    const again: Entry = new Entry(() => {
      fired.push(`again ${clock.monotonic()}`);
      if (fired.length < 3) wheel.schedule(again, 1_000);
    });
    wheel.schedule(again, 100);
    wheel.schedule(new Entry(() => fired.push(`short ${clock.monotonic()}`)), 140);
    await clock.advance(1_500);
    expect(fired).toEqual(['again 100', 'short 140', 'again 1100']);
  });

  it('sets one timer of the clock for a thousand waits that end at once', async () => {
    const clock = new FakeClock();
    let set = 0;
    const counting = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      setTimer: (delay: number, fire: () => void) => {
        set++;
        return clock.setTimer(delay, fire);
      },
    };
    const wheel = new TimerWheel(counting);
    for (let i = 0; i < 1000; i++) {
      const entry = new Entry(() => {});
      wheel.schedule(entry, 500);
      wheel.cancel(entry);
    }
    expect(set).toBe(1);
    await clock.advance(1_000);
    expect(clock.timers).toBe(0);
  });
});
