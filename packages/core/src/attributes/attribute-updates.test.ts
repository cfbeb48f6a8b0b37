import type { DeviceSession } from '../auth/device-session';
import { type CoreUnderTest, PollUnderTest, useCore } from '../devices/testing/core-under-test';
import type { DeviceEvents } from '../state/device-events';
import { entriesOf } from '../testing/builders';
import { AttributeUpdates } from './attribute-updates';

const SESSION_TIMEOUT = 600_000;

class Device {
  constructor(
    private readonly used: CoreUnderTest,
    readonly session: DeviceSession,
  ) {}

  poll(timeout = 60_000): PollUnderTest {
    return new PollUnderTest((done) => this.used.core.attributeUpdates.openPoll(this.session, timeout, done));
  }

  /** A poll that leaves its place and brings nothing. */
  async emptyPoll(): Promise<void> {
    const poll = this.poll(1);
    this.used.clock.advance(1);
    expect(await poll.ended).toEqual({ kind: 'expired' });
    await this.used.quiet();
  }

  share(values: Record<string, string>): Promise<void> {
    return this.used.core.attributes.saveFromServer(this.session.deviceId, 'SHARED', entriesOf(values));
  }

  unshare(...keys: string[]): Promise<readonly string[]> {
    return this.used.core.attributes.delete(this.session.deviceId, 'SHARED', keys);
  }
}

describe('Polls for shared attributes', () => {
  const used = useCore();
  let device: Device;
  beforeEach(async () => {
    device = new Device(used, await used.device('polling'));
  });

  it('a first one waits for what comes, and not for what has been', async () => {
    await device.share({ old: '1' });
    const poll = device.poll();
    await used.quiet();
    expect(poll.outcome).toBeUndefined();
    await device.share({ k: '42.0' });
    expect(await poll.delivered()).toBe('{"k":42.0}');
  });

  it('one after the other gets each update, one at a time, also those between two of them', async () => {
    await device.emptyPoll();
    await device.share({ k: '1' });
    await device.share({ k: '2', l: '"x"' });
    await device.unshare('l');
    expect(await device.poll().delivered()).toBe('{"k":1}');
    expect(await device.poll().delivered()).toBe('{"k":2,"l":"x"}');
    expect(await device.poll().delivered()).toBe('{"deleted":["l"]}');
    const last = device.poll();
    await used.quiet();
    expect(last.outcome).toBeUndefined();
  });

  it('several at once each get the update', async () => {
    const polls = [device.poll(), device.poll()];
    await used.quiet();
    await device.share({ k: '1' });
    expect(await Promise.all(polls.map((poll) => poll.delivered()))).toEqual(['{"k":1}', '{"k":1}']);
  });

  it('an update whose response was not written is delivered by the next one', async () => {
    await device.emptyPoll();
    await device.share({ k: '1' });
    (await device.poll().event()).settled(false);
    const repeated = await device.poll().event();
    expect(repeated.message.payload).toBe('{"k":1}');
    // Not consumed before it is settled, either.
    const meanwhile = await device.poll().event();
    expect(meanwhile.message.payload).toBe('{"k":1}');
    meanwhile.settled(true);
    repeated.settled(true);
    const next = device.poll();
    await used.quiet();
    expect(next.outcome).toBeUndefined();
  });

  it('a place is left by one whose connection went away, too', async () => {
    const poll = device.poll();
    await used.quiet();
    poll.poll.cancel();
    await device.share({ k: '1' });
    expect(await device.poll().delivered()).toBe('{"k":1}');
  });

  it('a place lapses with the session time after the last of them', async () => {
    await device.emptyPoll();
    await device.share({ k: '1' });
    used.clock.advance(SESSION_TIMEOUT);
    const poll = device.poll();
    await used.quiet();
    expect(poll.outcome).toBeUndefined();
  });

  it('a place does not lapse while one is open', async () => {
    const poll = device.poll(SESSION_TIMEOUT);
    await used.quiet();
    used.clock.advance(SESSION_TIMEOUT - 1);
    await device.share({ k: '1' });
    (await poll.event()).settled(false);
    expect(await device.poll().delivered()).toBe('{"k":1}');
  });
});

describe('Over a store whose writes take their time', () => {
  const used = useCore();

  it('a poll that follows at once goes on where the last one ended', async () => {
    const session = await used.device('hasty');
    const { events, attributes } = used.core.state;
    const slow: DeviceEvents = {
      head: (deviceId) => events.head(deviceId),
      read: (...position) => events.read(...position),
      watch: (...listener) => events.watch(...listener),
      getCursor: (...at) => events.getCursor(...at),
      setObserver: (...observer) => events.setObserver(...observer),
      getObserver: (...observer) => events.getObserver(...observer),
      setCursor: async (...cursor) => {
        await new Promise((resolve) => setImmediate(resolve));
        await events.setCursor(...cursor);
      },
    };
    const settings = { gapDelivery: true, sessionTimeout: SESSION_TIMEOUT };
    const updates = new AttributeUpdates({ ...used.core, events: slow }, attributes, settings, used.core.logger);
    const poll = () => new PollUnderTest((done) => updates.openPoll(session, 60_000, done));
    const first = poll();
    await used.quiet();
    await new Device(used, session).share({ k: '1' });
    expect(await first.delivered()).toBe('{"k":1}');
    const next = poll();
    await used.quiet();
    expect(next.outcome).toBeUndefined();
  });
});

describe('A poll that fell out of the event log', () => {
  const used = useCore({ TANDEM_EVENT_LOG_MAX: '2' });

  it('gets the full state and the keys known to be gone, and the log says so', async () => {
    const device = new Device(used, await used.device('late'));
    await device.share({ a: '1', b: '2' });
    await device.emptyPoll();
    await device.share({ b: '3' });
    await device.share({ c: '4.50' });
    await device.unshare('a');
    const { message, settled } = await device.poll().event();
    const body = String(message.payload);
    expect(JSON.parse(body)).toEqual({ b: 3, c: 4.5, deleted: ['a'] });
    expect(used.log).toEqual([
      {
        level: 'warn',
        message: 'waiter fell out of the event log and gets the full state',
        fields: { deviceId: device.session.deviceId, events: 3, fullState: true },
      },
    ]);
    settled(true);
    await device.share({ d: '5' });
    expect(await device.poll().delivered()).toBe('{"d":5}');
  });
});

describe('With TANDEM_HTTP_GAP_DELIVERY=false', () => {
  const used = useCore({ TANDEM_HTTP_GAP_DELIVERY: 'false' });

  it('an update between two polls is delivered by none', async () => {
    const device = new Device(used, await used.device('gap'));
    await device.emptyPoll();
    await device.share({ missed: '1' });
    const poll = device.poll();
    await used.quiet();
    expect(poll.outcome).toBeUndefined();
    await device.share({ seen: '2' });
    expect(await poll.delivered()).toBe('{"seen":2}');
  });
});

describe('An observation of shared attributes', () => {
  const used = useCore();

  it('starts with all of them and then tells what changed since it last told, merged', async () => {
    const device = new Device(used, await used.device('observed'));
    await device.share({ a: '1', b: '2' });
    const onChange = jest.fn();
    const listener = { news: onChange, end() {} };
    const { observation, snapshot } = await used.core.attributeUpdates.observe(device.session, listener);
    expect(JSON.parse(String(snapshot.payload))).toEqual({ a: 1, b: 2 });
    expect(await observation.next()).toBeUndefined();
    await device.share({ a: '3' });
    await device.share({ a: '4', c: '5' });
    await device.unshare('b');
    expect(onChange).toHaveBeenCalledTimes(3);
    expect((await observation.next())?.payload).toBe('{"a":4,"c":5,"deleted":["b"]}');
    expect(await observation.next()).toBeUndefined();
    observation.close();
    await device.share({ a: '6' });
    expect(onChange).toHaveBeenCalledTimes(3);
    expect(used.gauge('tandem_devices_watched')).toBe(0);
  });

  it('ends with the device', async () => {
    const session = await used.device('observed');
    const onEnd = jest.fn();
    await used.core.attributeUpdates.observe(session, { news() {}, end: onEnd });
    await used.core.devices.delete(used.tenantId, session.deviceId);
    expect(onEnd.mock.calls).toEqual([['deleted']]);
  });
});

describe('An observation that fell out of the event log', () => {
  const used = useCore({ TANDEM_EVENT_LOG_MAX: '2' });

  it('is told what is gone although the log has forgotten the deletion', async () => {
    const device = new Device(used, await used.device('slow'));
    await device.share({ a: '1', b: '2' });
    const { observation } = await used.core.attributeUpdates.observe(device.session, { news() {}, end() {} });
    await device.share({ c: '3' });
    expect((await observation.next())?.payload).toBe('{"c":3}');
    await device.unshare('a');
    await device.unshare('c');
    for (const b of ['4', '5', '6']) await device.share({ b });
    expect(JSON.parse(String((await observation.next())?.payload))).toEqual({ b: 6, deleted: ['a', 'c'] });
    observation.close();
  });
});
