import { MetricsRegistry } from '../platform/metrics';
import { FakeClock } from '../testing/fake-clock';
import type { State } from './state';
import { timedState } from './timed-state';

interface Asked {
  answer(value?: unknown): void;
  fail(error: Error): void;
}

/** A store whose operations are answered by hand. */
class SlowStore {
  readonly asked: Asked[] = [];
  #commit: Promise<void> | undefined;

  readonly state = {
    ping: async () => 'pong',
    devices: new Devices(() => this.#ask()),
    attributes: {},
    events: {},
    telemetryLog: { append: () => this.#append(), backlog: () => 3 },
    telemetryView: {},
    rpcs: {},
    rateCounters: {},
  } as unknown as State;

  #ask<T>(): Promise<T> {
    return new Promise<T>((resolve, reject) =>
      this.asked.push({ answer: (value) => resolve(value as T), fail: reject }),
    );
  }

  /** What is appended before the commit is answered shares its promise. */
  #append(): Promise<void> {
    this.#commit ??= this.#ask();
    return this.#commit;
  }

  commit(): Asked | undefined {
    this.#commit = undefined;
    return this.asked.shift();
  }
}

/** With its methods in the class, and state of its own. */
class Devices {
  changes = 0;

  constructor(private readonly ask: () => Promise<unknown>) {}

  get size(): number {
    return this.changes;
  }

  resolveCredentials() {
    return this.ask();
  }

  onSessionChange() {
    this.changes++;
    return this.changes;
  }
}

describe('A store that is timed', () => {
  let clock: FakeClock;
  let metrics: MetricsRegistry;
  let store: SlowStore;
  let timed: State;
  const times = (operation: 'credentials_read' | 'telemetry_append') =>
    metrics.value('tandem_store_duration_seconds', { operation });
  const failures = (operation: 'credentials_read' | 'telemetry_append') =>
    metrics.value('tandem_store_failures_total', { operation });
  const resolve = () => timed.devices.resolveCredentials({ type: 'ACCESS_TOKEN', id: 'a' } as never);
  const append = () => timed.telemetryLog.append({ deviceId: 'd', lines: '1 {}' as never });

  beforeEach(() => {
    clock = new FakeClock();
    metrics = new MetricsRegistry();
    store = new SlowStore();
    timed = timedState(store.state, clock, metrics);
  });

  /** Seconds. */
  const sum = (): number => {
    let seconds = 0;
    for (const { name, samples } of metrics.families()) {
      if (name !== 'tandem_store_duration_seconds') continue;
      for (const { sample } of samples()) if ('sum' in sample) seconds += sample.sum;
    }
    return seconds;
  };

  it('answers as it did, and how long that took is counted when it is there', async () => {
    const answer = resolve();
    clock.advance(250);
    expect(times('credentials_read')).toBe(0);
    store.asked[0]?.answer('found');
    expect(await answer).toBe('found');
    expect([times('credentials_read'), failures('credentials_read'), sum()]).toEqual([1, 0, 0.25]);
  });

  it('fails as it did, which is counted and timed as well, and nobody hears of it twice', async () => {
    const answer = resolve();
    clock.advance(1_000);
    store.asked[0]?.fail(new Error('away'));
    await expect(answer).rejects.toThrow('away');
    expect([times('credentials_read'), failures('credentials_read'), sum()]).toEqual([1, 1, 1]);
  });

  it('counts messages of one commit once, and each commit by itself, also when several are under way', async () => {
    const first = [append(), append(), append()];
    expect(new Set(first).size).toBe(1);
    const one = store.commit();
    clock.advance(100);
    const second = [append(), append()];
    const other = store.commit();
    clock.advance(100);
    other?.answer();
    await Promise.all(second);
    expect([times('telemetry_append'), sum()]).toEqual([1, 0.1]);
    one?.answer();
    await Promise.all(first);
    expect(times('telemetry_append')).toBe(2);
    expect(sum()).toBeCloseTo(0.3);
    const third = append();
    store.commit()?.fail(new Error('full'));
    await expect(third).rejects.toThrow('full');
    expect([times('telemetry_append'), failures('telemetry_append')]).toEqual([3, 1]);
  });

  it('looks at the clock for the first message of a commit alone', () => {
    const look = jest.spyOn(clock, 'monotonic');
    for (let n = 0; n < 100; n++) void append();
    expect(look).toHaveBeenCalledTimes(1);
  });

  it('leaves alone what is not timed: methods keep their object, and properties are as they are now', async () => {
    expect(await timed.ping()).toBe('pong');
    expect(timed.telemetryLog.backlog()).toBe(3);
    const devices = timed.devices as unknown as Devices;
    const { onSessionChange } = devices;
    expect([onSessionChange(), onSessionChange()]).toEqual([1, 2]);
    expect([devices.size, devices.changes]).toEqual([2, 2]);
  });
});
