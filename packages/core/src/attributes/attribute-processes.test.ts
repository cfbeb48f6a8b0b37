import type { DeviceSession } from '../auth/device-session';
import type { Core } from '../core';
import { over, PollUnderTest, useCore } from '../devices/testing/core-under-test';
import { entriesOf } from '../testing/builders';

const used = useCore();
let session: DeviceSession;
beforeEach(async () => {
  session = await used.device('polling');
});

const poll = (core: Core, timeout = 60_000) =>
  new PollUnderTest((done) => core.attributeUpdates.openPoll(session, timeout, done));
const share = (value: number) =>
  used.core.attributes.saveFromServer(session.deviceId, 'SHARED', entriesOf({ k: String(value) }));

/** A poll that leaves the device's place in the store and brings nothing. */
async function leavePlace(core: Core): Promise<void> {
  const first = poll(core, 1);
  await used.quiet();
  used.clock.advance(1);
  expect(await first.ended).toEqual({ kind: 'expired' });
  await used.quiet();
}

describe('Polls that alternate between two processes', () => {
  it('get each update once, in order, when one begins after the other has been counted', async () => {
    const cores = [used.core, used.another()];
    await leavePlace(used.core);
    for (let n = 1; n <= 6; n++) await share(n);
    const seen: string[] = [];
    for (let n = 0; n < 6; n++) {
      seen.push(await poll(cores[n % 2] ?? used.core).delivered());
      await used.quiet();
    }
    expect(seen).toEqual(['{"k":1}', '{"k":2}', '{"k":3}', '{"k":4}', '{"k":5}', '{"k":6}']);
  });

  it('get each update, and none of them more than twice, when one begins before the other has been counted', async () => {
    const late: Array<() => void> = [];
    /** Its place is written late, as by a process that has much to do. */
    const slow = used.another((state) => ({
      ...state,
      events: over(state.events, {
        async setCursor(...cursor) {
          await new Promise<void>((resolve) => late.push(resolve));
          return state.events.setCursor(...cursor);
        },
      }),
    }));
    const quick = used.another();
    await leavePlace(used.core);
    for (let n = 1; n <= 4; n++) await share(n);
    const seen: string[] = [];
    for (let n = 1; n <= 4; n++) {
      seen.push(await poll(slow).delivered(), await poll(quick).delivered());
      for (const write of late.splice(0)) write();
    }
    expect(seen).toEqual([1, 1, 2, 2, 3, 3, 4, 4].map((n) => `{"k":${n}}`));
    const next = poll(slow);
    await used.quiet();
    expect(next.outcome).toBeUndefined();
  });

  it('get what was shared while no poll was open at either, also when the process of the last one died', async () => {
    const died = used.another();
    const lost = poll(died);
    await used.quiet();
    await share(1);
    await lost.event();
    await share(2);
    expect(await poll(used.core).delivered()).toBe('{"k":1}');
    expect(await poll(used.another()).ended).toMatchObject({ kind: 'event' });
  });

  it('do not go back when the one that began earlier ends later', async () => {
    await leavePlace(used.core);
    const slow = poll(used.another());
    await used.quiet();
    await share(1);
    const first = await slow.event();
    expect(await poll(used.core).delivered()).toBe('{"k":1}');
    await share(2);
    expect(await poll(used.core).delivered()).toBe('{"k":2}');
    first.settled(false);
    await used.quiet();
    const next = poll(used.core);
    await used.quiet();
    expect(next.outcome).toBeUndefined();
  });

  it('are not told twice by wake-ups that mean nothing, nor is the store asked without end', async () => {
    let reads = 0;
    const counting = used.another((state) => ({
      ...state,
      events: over(state.events, {
        read: (...given) => {
          reads++;
          return state.events.read(...given);
        },
      }),
    }));
    await leavePlace(used.core);
    const waiting = poll(counting);
    await used.quiet();
    reads = 0;
    for (let n = 1; n <= 3; n++) {
      used.wakeAll();
      await used.quiet();
      expect(reads).toBe(n);
    }
    expect(waiting.outcome).toBeUndefined();
    const { observation } = await counting.attributeUpdates.observe(session, { news() {}, end() {} });
    await share(1);
    expect(await waiting.delivered()).toBe('{"k":1}');
    expect((await observation.next())?.payload).toBe('{"k":1}');
    used.wakeAll();
    expect(await observation.next()).toBeUndefined();
    observation.close();
  });
});
