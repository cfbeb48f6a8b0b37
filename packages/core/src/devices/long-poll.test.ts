import type { DeviceSession } from '../auth/device-session';
import { TandemError } from '../errors';
import { JsonFormat } from '../payload/index';
import type { ObservedKind } from '../state/device-events';
import { entriesOf } from '../testing/builders';
import { LongPoll, type LongPollSource, type LookAgain, type PollEvent } from './long-poll';
import { PollUnderTest, useCore } from './testing/core-under-test';

/** A source whose readings end when the test says so. */
class HeldSource implements LongPollSource {
  readonly wake: ObservedKind = 'attributes';
  released = jest.fn();
  secured: (() => Promise<void>) | undefined;
  readonly readings: Array<{
    found(event?: PollEvent | LookAgain): Promise<void>;
    failed(error: unknown): Promise<void>;
  }> = [];

  constructor(readonly session: DeviceSession) {}

  take(): Promise<PollEvent | LookAgain | undefined> {
    return new Promise((resolve, reject) => {
      const settle = () => new Promise<void>((done) => setImmediate(done));
      this.readings.push({
        found: (event) => {
          resolve(event);
          return settle();
        },
        failed: (error) => {
          reject(error);
          return settle();
        },
      });
    });
  }

  get latest() {
    const reading = this.readings.at(-1);
    if (!reading) throw new Error('it has not read yet');
    return reading;
  }
}

const AWAY = new TandemError('STORE_UNAVAILABLE');
const JSON_FORMAT = new JsonFormat({ typeCast: true, maxStringLength: 0 });
const anEvent = (payload = '{}') => ({ message: { payload, format: JSON_FORMAT }, settled: jest.fn() });

describe('A long poll', () => {
  const used = useCore();
  let session: DeviceSession;
  let source: HeldSource;
  let poll: PollUnderTest;

  const open = (timeout = 1_000) => {
    poll = new PollUnderTest(
      (done) => new LongPoll({ ...used.core, events: used.core.state.events }, source, timeout, done),
    );
  };
  const wake = () => used.core.attributes.saveFromServer(session.deviceId, 'SHARED', entriesOf({ k: '1' }));
  const expectNothingHeld = () => {
    expect(used.clock.timers).toBe(0);
    expect(used.gauge('tandem_devices_watched')).toBe(0);
  };

  beforeEach(async () => {
    session = await used.device('polling');
    source = new HeldSource(session);
  });

  it('ends with what is there already', async () => {
    open();
    const event = anEvent('{"a":1}');
    await source.latest.found(event);
    expect(poll.outcome).toEqual({ kind: 'event', event });
    expect(event.settled).not.toHaveBeenCalled();
    expect(source.released).not.toHaveBeenCalled();
    expectNothingHeld();
  });

  it('waits when there is nothing, and reads again when it is woken', async () => {
    open();
    await source.latest.found();
    expect(poll.outcome).toBeUndefined();
    await wake();
    expect(source.readings).toHaveLength(2);
    const event = anEvent();
    await source.latest.found(event);
    expect(poll.outcome).toEqual({ kind: 'event', event });
  });

  it('reads once more when it is woken while it reads: nothing falls between the reading and the wait', async () => {
    open();
    await wake();
    await wake();
    expect(source.readings).toHaveLength(1);
    await source.latest.found();
    expect(source.readings).toHaveLength(2);
    await source.latest.found();
    expect(source.readings).toHaveLength(2);
  });

  it('is not woken by what it does not wait for', async () => {
    open();
    await source.latest.found();
    void used.core.rpcCalls.send({ ...session, oneway: true, persistent: true, method: 'm', params: '{}' });
    await used.quiet();
    expect(source.readings).toHaveLength(1);
  });

  it('reads again when the time has come that its source named, and holds no timer after its end', async () => {
    open(1_000);
    await source.latest.found({ lookAgainAt: used.clock.now() + 300 });
    used.clock.advance(299);
    expect(source.readings).toHaveLength(1);
    used.clock.advance(1);
    expect(source.readings).toHaveLength(2);
    await source.latest.found({ lookAgainAt: used.clock.now() + 300 });
    await wake();
    await source.latest.found();
    used.clock.advance(300);
    expect(source.readings).toHaveLength(3);
    await wake();
    await source.latest.found({ lookAgainAt: used.clock.now() + 300 });
    poll.poll.cancel();
    expectNothingHeld();
  });

  it('does not read without end for a source whose time has always come', async () => {
    open(1_000);
    await source.latest.found({ lookAgainAt: used.clock.now() - 1 });
    expect(source.readings).toHaveLength(1);
    used.clock.advance(10);
    expect(source.readings).toHaveLength(2);
  });

  it('expires when its time is over, and gives back what it held', async () => {
    open(1_000);
    await source.latest.found();
    used.clock.advance(999);
    expect(poll.outcome).toBeUndefined();
    used.clock.advance(1);
    expect(poll.outcome).toEqual({ kind: 'expired' });
    expect(source.released).toHaveBeenCalledTimes(1);
    expectNothingHeld();
  });

  it('whose time ends while it reads still gets what is found', async () => {
    open(1_000);
    used.clock.advance(1_000);
    expect(poll.outcome).toBeUndefined();
    const event = anEvent();
    await source.latest.found(event);
    expect(poll.outcome).toEqual({ kind: 'event', event });
  });

  it('whose time ends while it reads expires after the last reading that was due', async () => {
    open(0);
    used.clock.advance(0);
    await wake();
    await source.latest.found();
    expect(poll.outcome).toBeUndefined();
    expect(source.readings).toHaveLength(2);
    await source.latest.found();
    expect(poll.outcome).toEqual({ kind: 'expired' });
  });

  it('that is cancelled while it waits has no outcome and holds nothing', async () => {
    open();
    await source.latest.found();
    poll.poll.cancel();
    poll.poll.cancel();
    expect(source.released).toHaveBeenCalledTimes(1);
    expectNothingHeld();
    await wake();
    expect(source.readings).toHaveLength(1);
    expect(poll.outcome).toBeUndefined();
  });

  it('that is cancelled while it reads gives the event back', async () => {
    open();
    poll.poll.cancel();
    const event = anEvent();
    await source.latest.found(event);
    expect(event.settled.mock.calls).toEqual([[false]]);
    expect(poll.outcome).toBeUndefined();
    expectNothingHeld();
  });

  it('that is cancelled after its end changes nothing', async () => {
    open();
    await source.latest.found(anEvent());
    poll.poll.cancel();
    expect(poll.outcome?.kind).toBe('event');
    expect(source.released).not.toHaveBeenCalled();
  });

  it.each(['while it reads', 'while it waits'])('ends when the device is deleted %s', async (when) => {
    open();
    if (when === 'while it waits') await source.latest.found();
    await used.core.devices.delete(used.tenantId, session.deviceId);
    expect(poll.outcome).toEqual({ kind: 'deleted' });
    const event = anEvent();
    await source.latest.found(event);
    expectNothingHeld();
  });

  it('ends like one that expired when the credentials change', async () => {
    open();
    await used.core.devices.updateCredentials(used.tenantId, session.deviceId, {
      credentialsType: 'ACCESS_TOKEN',
      credentialsId: 'another',
    });
    expect(poll.outcome).toEqual({ kind: 'expired' });
    expect(source.released).toHaveBeenCalledTimes(1);
    expectNothingHeld();
  });

  it('fails with the row of the error that the reading ran into', async () => {
    open();
    await source.latest.failed(new TandemError('STORE_UNAVAILABLE'));
    expect(poll.outcome).toMatchObject({ kind: 'failed', error: { code: 'STORE_UNAVAILABLE' } });
    expect(source.released).toHaveBeenCalledTimes(1);
    expectNothingHeld();
  });

  it('that waits already stays while the store is away, and looks again after a while', async () => {
    open(10_000);
    await source.latest.found();
    await wake();
    await source.latest.failed(AWAY);
    expect(poll.outcome).toBeUndefined();
    used.clock.advance(999);
    expect(source.readings).toHaveLength(2);
    used.clock.advance(501);
    expect(source.readings).toHaveLength(3);
    await source.latest.failed(AWAY);
    used.clock.advance(1_500);
    const event = anEvent();
    await source.latest.found(event);
    expect(poll.outcome).toEqual({ kind: 'event', event });
    expectNothingHeld();
  });

  it('that waits for the store to come back looks at once when it is woken, and not twice', async () => {
    open(10_000);
    await source.latest.found();
    await wake();
    await source.latest.failed(AWAY);
    await wake();
    expect(source.readings).toHaveLength(3);
    await source.latest.found();
    used.clock.advance(5_000);
    expect(source.readings).toHaveLength(3);
  });

  it('that waits for the store to come back expires in time, and can be cancelled', async () => {
    for (const cancelled of [true, false]) {
      open(1_000);
      await source.latest.found();
      await wake();
      await source.latest.failed(AWAY);
      if (cancelled) poll.poll.cancel();
      else used.clock.advance(1_000);
      expect(poll.outcome).toEqual(cancelled ? undefined : { kind: 'expired' });
      expectNothingHeld();
    }
  });

  it('whose time ends while it asks a store that is away expires', async () => {
    open(1_000);
    await source.latest.found();
    await wake();
    used.clock.advance(1_000);
    await source.latest.failed(AWAY);
    expect(poll.outcome).toEqual({ kind: 'expired' });
    expectNothingHeld();
  });

  it('fails at any time with another error than that of a store that is away', async () => {
    open();
    await source.latest.found();
    await wake();
    await source.latest.failed(new Error('a bug'));
    expect(poll.outcome).toMatchObject({ kind: 'failed', error: { code: 'INTERNAL' } });
    expectNothingHeld();
  });

  it('does not expire before it is secured', async () => {
    let secure = () => {};
    source.secured = () => new Promise<void>((resolve) => (secure = resolve));
    open(1_000);
    await source.latest.found();
    used.clock.advance(1_000);
    expect(poll.outcome).toBeUndefined();
    secure();
    expect(await poll.ended).toEqual({ kind: 'expired' });
    expectNothingHeld();
  });

  it('gets what comes before it is secured', async () => {
    source.secured = () => new Promise<void>(() => {});
    open(1_000);
    await source.latest.found();
    used.clock.advance(1_000);
    await wake();
    const event = anEvent();
    await source.latest.found(event);
    expect(poll.outcome).toEqual({ kind: 'event', event });
    expectNothingHeld();
  });

  it('that cannot be secured while it reads gets what is found, or fails then', async () => {
    for (const event of [anEvent(), undefined]) {
      let refuse = () => {};
      source.secured = () => new Promise<void>((_, reject) => (refuse = () => reject(AWAY)));
      open(1_000);
      await source.latest.found();
      await wake();
      refuse();
      await used.quiet();
      expect(poll.outcome).toBeUndefined();
      await source.latest.found(event);
      expect(poll.outcome).toEqual(event ? { kind: 'event', event } : { kind: 'failed', error: AWAY });
      expectNothingHeld();
    }
  });

  it('fails at once when it cannot be secured', async () => {
    source.secured = () => Promise.reject(AWAY);
    open(1_000);
    await source.latest.found();
    expect(poll.outcome).toMatchObject({ kind: 'failed', error: { code: 'STORE_UNAVAILABLE' } });
    expect(source.released).toHaveBeenCalledTimes(1);
    expectNothingHeld();
  });
});
