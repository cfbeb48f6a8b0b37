import { PeerState } from '../../../packages/coap-transport/src/endpoint/peer';
import { Reliability } from '../../../packages/coap-transport/src/endpoint/reliability';
import { FakeClock } from '../../../packages/coap-transport/src/endpoint/testing/fake-clock';
import { FakeRandom } from '../../../packages/coap-transport/src/endpoint/testing/fake-random';
import { TimerWheel } from '../../../packages/coap-transport/src/endpoint/timer-wheel';
import type { Timer } from '../../../packages/core/src/index';
import { statementsOf } from '../statement';
import { slow, waits, watch } from './talk';

const { shows } = statementsOf('RFC 7252');

/** The timers' grain. */
const GRAIN = 25;

/** The waits of a separate response to each of `count` clients that acknowledge nothing. */
async function allWaits(count: number, settings = {}): Promise<number[][]> {
  const harness = slow(1_000, settings);
  const clients = Array.from({ length: count }, (_, i) => harness.another('10.9.0.1', 1_000 + i));
  const arrivals = clients.map((client) => watch(harness, client));
  for (const client of clients) client.request({});
  await harness.clock.advance(300_000);
  return arrivals.map(waits);
}

shows(
  '4.2',
  'describes',
  'the first wait is random between ACK_TIMEOUT and ACK_TIMEOUT * ACK_RANDOM_FACTOR',
  async () => {
    const first = (await allWaits(100)).map((each) => each[0] ?? 0);
    expect(Math.min(...first)).toBeGreaterThanOrEqual(2_000);
    expect(Math.max(...first)).toBeLessThanOrEqual(3_000 + GRAIN);
    expect(Math.min(...first)).toBeLessThan(2_100);
    expect(Math.max(...first)).toBeGreaterThan(2_900);
    expect(new Set(first).size).toBeGreaterThan(30);
  },
);

shows(
  '4.2',
  'describes',
  'each further wait is twice the one before, until MAX_RETRANSMIT repetitions have been sent',
  async () => {
    for (const [first = 0, ...rest] of await allWaits(20)) {
      expect(rest).toHaveLength(3);
      for (const [i, wait] of rest.entries()) expect(Math.abs(wait - first * 2 ** (i + 1))).toBeLessThan(GRAIN * 8);
    }
  },
);

/** A clock whose timers fire late, as on a machine that is busy elsewhere. */
class LateClock extends FakeClock {
  constructor(readonly lateness: () => number) {
    super();
  }

  override setTimer(delay: number, fire: () => void): Timer {
    return super.setTimer(delay + this.lateness(), fire);
  }
}

/** The times at which one message leaves when timers are late. */
async function departures(lateness: () => number): Promise<number[]> {
  const clock = new LateClock(lateness);
  const times: number[] = [];
  const reliability = new Reliability(
    { ackTimeout: 2_000, ackRandomFactor: 1.5, maxRetransmit: 4, maxQueuedPerPeer: 1, maxUnacknowledged: 100 },
    {
      wheel: new TimerWheel(clock),
      random: new FakeRandom(3),
      now: () => clock.monotonic(),
      send: () => void times.push(clock.monotonic()),
      free() {},
      retransmitted() {},
      gone() {},
      timedOut() {},
    },
  );
  reliability.send(new PeerState('10.0.0.1:1', '10.0.0.1', 1, undefined, 1), Buffer.from('40450000', 'hex'));
  await clock.advance(400_000);
  return times;
}

shows(
  '4.2',
  'MUST',
  'repetitions stay within MAX_TRANSMIT_SPAN even when timers fire late; one that cannot is left out',
  async () => {
    const punctual = await departures(() => 0);
    expect(punctual).toHaveLength(5);
    for (const late of [500, 2_000, 9_000]) {
      const times = await departures(() => late);
      expect(Math.max(...times)).toBeLessThanOrEqual(45_000);
      expect(times.length).toBeGreaterThanOrEqual(late < 1_000 ? 5 : 3);
    }
    for (const [i, time] of (await departures(() => 500)).entries()) {
      expect(time - (punctual[i] ?? 0)).toBeLessThanOrEqual(500 + GRAIN);
    }
    const random = new FakeRandom(8);
    for (let i = 0; i < 50; i++) {
      expect(Math.max(...(await departures(() => random.integer(15_000))))).toBeLessThanOrEqual(45_000);
    }
  },
);

shows(
  '4.2',
  'describes',
  'between two transmissions of a message there is at least ACK_TIMEOUT, also after a late one',
  async () => {
    const random = new FakeRandom(9);
    for (let i = 0; i < 50; i++) {
      const times = await departures(() => random.integer(6_000));
      for (const [n, time] of times.slice(1).entries()) expect(time - (times[n] ?? 0)).toBeGreaterThanOrEqual(2_000);
    }
  },
);

shows(
  '4.8',
  'describes',
  'without settings ACK_TIMEOUT is 2 s, ACK_RANDOM_FACTOR 1.5 and MAX_RETRANSMIT 4',
  async () => {
    const [each = []] = await allWaits(1);
    expect(each).toHaveLength(4);
    expect(each[0]).toBeGreaterThanOrEqual(2_000);
    expect(each[0]).toBeLessThanOrEqual(3_000 + GRAIN);
  },
);

shows('4.8.1', 'MAY', 'ACK_TIMEOUT and MAX_RETRANSMIT can be set', async () => {
  const [each = []] = await allWaits(1, { ackTimeout: 8_000, maxRetransmit: 2 });
  expect(each).toHaveLength(2);
  expect(each[0]).toBeGreaterThanOrEqual(8_000);
  expect(each[0]).toBeLessThanOrEqual(12_000 + GRAIN);
});

shows('4.8.1', 'MUST NOT', 'MAX_RETRANSMIT 0 sends once, and ACK_RANDOM_FACTOR 1 still waits ACK_TIMEOUT', async () => {
  expect(await allWaits(2, { maxRetransmit: 0 })).toEqual([[], []]);
  for (const [first = 0] of await allWaits(5, { ackRandomFactor: 1 })) {
    expect(first).toBeGreaterThanOrEqual(2_000);
    expect(first).toBeLessThanOrEqual(2_000 + GRAIN);
  }
});
