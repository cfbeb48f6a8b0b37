import { trustedValue } from '../payload/value';
import { silentLogger } from '../platform/logger';
import type { AttributeScope } from '../state/attribute-store';
import type { DeviceFeed, FeedMessage, UncountedMessage } from '../state/device-feed';
import type { TelemetryPoint } from '../state/telemetry-view';
import { entriesOf } from '../testing/builders';
import { FakeClock } from '../testing/fake-clock';
import { CountedListener } from './counted-listener';
import { LiveAttributes } from './live-attributes';
import type { LiveEntry, LiveSource } from './live-source';
import { LiveSubscription } from './live-subscription';
import { LiveTelemetry } from './live-telemetry';

/** A feed whose messages, marks and state come when a test says so. */
class Device {
  readonly clock = new FakeClock();
  readonly latest = new Map<string, TelemetryPoint>();
  readonly attributes = new Map<string, TelemetryPoint>();
  readonly told: string[] = [];
  watched = false;
  /** Called at the moment in which the state is read, before and after. */
  around: { before?: () => void; after?: () => void } = {};
  fault: Error | undefined;
  /** Whether whoever is told throws. */
  failing = false;
  #listener: CountedListener | undefined;

  readonly feed: DeviceFeed = {
    watch: (_id, listener) => {
      const counted = new CountedListener((message: FeedMessage) => {
        if (this.watched) listener(message);
      }, silentLogger);
      this.watched = true;
      this.#listener = counted;
      return {
        mark: async () => counted.heard,
        leave: () => {
          this.watched = false;
        },
      };
    },
  };

  say(message: UncountedMessage): void {
    this.#listener?.hear(message);
  }

  /** A message of telemetry, stored and told. */
  post(ts: number, values: Record<string, string>): void {
    for (const { key, value } of entriesOf(values)) {
      if (ts >= (this.latest.get(key)?.ts ?? ts)) this.latest.set(key, { ts, value });
    }
    this.say({ kind: 'telemetry', records: [{ ts, values: entriesOf(values) }] });
  }

  save(ts: number, values: Record<string, string>, scope: AttributeScope = 'SHARED'): void {
    for (const { key, value } of entriesOf(values)) this.attributes.set(`${scope} ${key}`, { ts, value });
    this.say({ kind: 'saved', scope, entries: entriesOf(values), ts });
  }

  remove(ts: number, keys: string[], scope: AttributeScope = 'SHARED'): void {
    for (const key of keys) this.attributes.delete(`${scope} ${key}`);
    this.say({ kind: 'deleted', scope, keys, ts });
  }

  async #read<T>(read: () => T): Promise<T> {
    this.around.before?.();
    if (this.fault) throw this.fault;
    const state = read();
    this.around.after?.();
    this.around = {};
    return state;
  }

  telemetry(onlyNewer = true, keys?: string[], history?: () => Map<string, TelemetryPoint[]>): LiveTelemetry {
    const view = { latest: () => this.#read(() => new Map(this.latest)) };
    const read = history && (async () => ({ points: await this.#read(history), raw: true }));
    return new LiveTelemetry(view, 'd', { onlyNewer, keys, history: read });
  }

  shared(scopes: AttributeScope[] = ['SHARED'], keys?: string[]): LiveAttributes {
    const read = (_id: string, scope: AttributeScope) =>
      this.#read(() =>
        [...this.attributes]
          .filter(([id]) => id.startsWith(`${scope} `))
          .map(([id, { ts, value }]) => ({ key: id.slice(scope.length + 1), value, lastUpdateTs: ts })),
      );
    return new LiveAttributes({ read }, 'd', scopes, keys);
  }

  async follow(source: LiveSource): Promise<LiveSubscription> {
    const sink = {
      tell: (entries: readonly LiveEntry[]) => {
        if (this.failing) throw new Error('deaf');
        this.told.push(entries.map(({ key, ts, value }) => `${key}@${ts}=${value ?? 'gone'}`).join(' '));
      },
      gone: () => void this.told.push('the device is gone'),
      failed: (error: Error) => void this.told.push(error.message),
    };
    const subscription = new LiveSubscription(this.feed, 'd', source, sink, this.clock);
    await this.settled();
    return subscription;
  }

  async settled(): Promise<void> {
    await new Promise(setImmediate);
  }
}

const point = (ts: number, value: string): TelemetryPoint => ({ ts, value: trustedValue(value) });

describe('Whoever follows a device', () => {
  let device: Device;
  beforeEach(() => {
    device = new Device();
  });

  it('is told the latest values first, also when there are none, and then each message', async () => {
    await device.follow(device.telemetry());
    device.post(1, { a: '1', b: '2.0' });
    device.post(2, { a: '1' });
    device.post(2, { a: '1' });
    expect(device.told).toEqual(['', 'a@1=1 b@1=2.0', 'a@2=1', 'a@2=1']);
  });

  it('is told nothing older than the latest value of a key, if that is what was asked for', async () => {
    device.post(5, { a: '5' });
    await device.follow(device.telemetry());
    device.post(4, { a: '4', b: '4' });
    device.post(3, { a: '3' });
    device.post(5, { a: '6' });
    expect(device.told).toEqual(['a@5=5', 'b@4=4', 'a@5=6']);
    const other = new Device();
    other.post(5, { a: '5' });
    await other.follow(other.telemetry(false));
    other.post(4, { a: '4' });
    other.post(5, { a: '5' });
    expect(other.told).toEqual(['a@5=5', 'a@4=4', 'a@5=5']);
  });

  it('is told several values of a key in one message with the newest first, and of one time the one that came last', async () => {
    await device.follow(device.telemetry());
    const records = [1, 3, 2, 3].map((ts, n) => ({ ts, values: entriesOf({ a: `${n}` }) }));
    device.say({ kind: 'telemetry', records });
    expect(device.told).toEqual(['', 'a@3=3 a@3=1 a@2=2 a@1=0']);
  });

  it('is told of what comes after the latest value was deleted, however old it is', async () => {
    device.post(9, { a: '9' });
    await device.follow(device.telemetry());
    device.latest.clear();
    device.say({ kind: 'missed' });
    await device.settled();
    device.post(5, { a: '5' });
    expect(device.told).toEqual(['a@9=9', 'a@5=5']);
  });

  it('is told that an attribute is gone where the one below it went while it was read', async () => {
    device.save(1, { a: '1' });
    device.save(1, { a: '2' }, 'SERVER');
    await device.follow(device.shared(['SHARED', 'SERVER']));
    device.around = { before: () => device.remove(3, ['a'], 'SERVER') };
    device.remove(3, ['a']);
    await device.settled();
    expect(device.told.slice(1)).toEqual(['a@0=gone']);
  });

  it('is told of the keys asked for alone', async () => {
    await device.follow(device.telemetry(true, ['a']));
    device.post(1, { b: '1' });
    device.post(2, { a: '1', b: '1' });
    expect(device.told).toEqual(['', 'a@2=1']);
  });

  it.each([
    ['before', ['a@3=3 b@2=2'], { before: 3 }],
    ['after', ['', 'a@1=1', 'b@2=2', 'a@3=3'], { after: 3 }],
    ['partly before', ['a@1=1 b@2=2', 'a@3=3'], { before: 2, after: 3 }],
  ])(
    'is told each message once that comes while the state is read: %s',
    async (_when, told, { before = 0, after = 0 }: { before?: number; after?: number }) => {
      const messages = [
        () => device.post(1, { a: '1' }),
        () => device.post(2, { b: '2' }),
        () => device.post(3, { a: '3' }),
      ];
      const run = (from: number, to: number) => () => {
        for (const message of messages.slice(from, to)) message();
      };
      device.around = { before: run(0, before), after: run(before, after) };
      await device.follow(device.telemetry());
      expect(device.told).toEqual(told);
    },
  );

  it('is told attributes of the scopes asked for, and what was deleted', async () => {
    device.save(1, { a: '1' });
    device.save(1, { a: '"server"' }, 'SERVER');
    await device.follow(device.shared(['CLIENT', 'SHARED', 'SERVER']));
    device.save(2, { a: '2' }, 'CLIENT');
    device.save(1, { a: '1' });
    for (const scope of ['SHARED', 'CLIENT', 'SERVER'] as const) {
      device.remove(3, ['a'], scope);
      await device.settled();
    }
    expect(device.told).toEqual([
      ...['a@1=1 a@1="server"', 'a@2=2', 'a@1=1'],
      ...['a@2=2 a@1="server"', 'a@1="server"', 'a@0=gone'],
    ]);
    const other = new Device();
    await other.follow(other.shared(['SHARED'], ['a']));
    other.save(2, { a: '2' }, 'CLIENT');
    other.save(2, { b: '2' });
    other.remove(3, ['b']);
    expect(other.told).toEqual(['']);
  });

  it.each([
    ['saved and read', { before: (d: Device) => d.save(2, { a: '2' }) }, ['a@2=2']],
    ['deleted and read', { before: (d: Device) => d.remove(2, ['a']) }, ['']],
    [
      'read and saved with the clock of another process',
      { after: (d: Device) => d.save(0, { a: '2' }) },
      ['a@1=1', 'a@0=2'],
    ],
    ['read and deleted', { after: (d: Device) => d.remove(2, ['a']) }, ['a@1=1', 'a@0=gone']],
  ] as const)(
    'is told a change of attributes once: %s',
    async (_what, around: { before?: (d: Device) => void; after?: (d: Device) => void }, told) => {
      device.save(1, { a: '1' });
      device.around = { before: () => around.before?.(device), after: () => around.after?.(device) };
      await device.follow(device.shared());
      expect(device.told).toEqual(told);
    },
  );

  it('is told a part of the history first, and what it does not have of what came meanwhile', async () => {
    device.post(1, { a: '1' });
    const history = new Map([['a', [point(1, '1'), point(2, '2')]]]);
    device.around = {
      before: () => {
        device.post(2, { a: '2' });
        device.post(3, { a: '3' });
      },
    };
    await device.follow(device.telemetry(true, ['a'], () => history));
    device.post(2, { a: '0' });
    device.post(4, { a: '4' });
    expect(device.told).toEqual(['a@1=1 a@2=2', 'a@3=3', 'a@4=4']);
  });

  it('is told what differs where something may have been missed, and goes on from there', async () => {
    device.post(1, { a: '1', b: '1' });
    device.save(1, { s: '1', t: '1' });
    await device.follow(device.telemetry());
    device.latest.set('a', point(2, '2'));
    device.around = { after: () => device.post(3, { b: '3' }) };
    device.say({ kind: 'missed' });
    device.post(4, { c: '4' });
    await device.settled();
    expect(device.told.slice(1)).toEqual(['a@2=2 c@4=4', 'b@3=3']);
    device.say({ kind: 'missed' });
    await device.settled();
    expect(device.told).toHaveLength(3);
  });

  it('is told of attributes that were deleted unheard', async () => {
    device.save(1, { a: '1', b: '1' });
    await device.follow(device.shared());
    device.attributes.delete('SHARED a');
    device.say({ kind: 'missed' });
    await device.settled();
    expect(device.told).toEqual(['a@1=1 b@1=1', 'a@0=gone']);
  });

  it('is not forgotten by a store that does not answer: what was missed is read when it does', async () => {
    await device.follow(device.telemetry());
    device.fault = new Error('away');
    device.say({ kind: 'missed' });
    await device.settled();
    device.post(1, { a: '1' });
    device.fault = undefined;
    device.clock.advance(1_000);
    await device.settled();
    device.post(2, { a: '2' });
    expect(device.told).toEqual(['', 'a@1=1', 'a@2=2']);
  });

  it('leaves a store that does not answer more and more time', async () => {
    await device.follow(device.telemetry());
    device.fault = new Error('away');
    device.say({ kind: 'missed' });
    await device.settled();
    let reads = 0;
    for (let seconds = 1; seconds <= 15; seconds++) {
      device.around = { before: () => reads++ };
      device.clock.advance(1_000);
      await device.settled();
    }
    expect(reads).toBe(4);
  });

  it('is told so, and followed no more, where what was missed cannot be told', async () => {
    await device.follow(device.telemetry());
    device.failing = true;
    device.latest.set('a', point(2, '2'));
    device.say({ kind: 'missed' });
    await device.settled();
    expect([device.told, device.watched]).toEqual([['', expect.stringMatching(/^Internal server error/)], false]);
  });

  it('does not make the process keep what comes while a slow store is read', async () => {
    device.around = {
      after: () => {
        for (let n = 1; n <= 1_500; n++) device.post(n, { a: `${n}` });
        device.post(1_501, { long: JSON.stringify('x'.repeat(1_100_000)) });
      },
    };
    await device.follow(device.telemetry());
    await device.settled();
    expect(device.told.map((text) => text.length)).toEqual([0, expect.any(Number)]);
    expect(device.told[1]?.slice(0, 20)).toBe('a@1500=1500 long@150');
  });

  it('is told that the first state cannot be read, that the device is gone, or nothing once it has left', async () => {
    device.fault = new Error('away');
    await device.follow(device.telemetry());
    expect([device.told, device.watched]).toEqual([[expect.stringMatching(/^Internal server error/)], false]);
    const gone = new Device();
    await gone.follow(gone.telemetry());
    gone.say({ kind: 'gone' });
    expect([gone.told, gone.watched]).toEqual([['', 'the device is gone'], false]);
    const left = new Device();
    const subscription = await left.follow(left.telemetry());
    subscription.end();
    left.post(1, { a: '1' });
    expect([left.told, left.watched]).toEqual([[''], false]);
  });
});
