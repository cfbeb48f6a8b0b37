import type { FakeClient } from './testing/fake-client';
import { observed, told } from './testing/observed';

describe('a NON observer (RFC 7641 section 4.5)', () => {
  it('gets a CON at least every 24 hours, and is gone when it does not acknowledge it', async () => {
    const { harness, client, source, register } = observed();
    await register(false);
    client.acknowledges = false;
    client.take();
    source().notify('1');
    await harness.clock.advance(24 * 3_600_000);
    source().notify('2');
    await harness.clock.advance(10);
    expect(told(client)).toEqual(['NON 2.05 #1 1', 'CON 2.05 #2 2']);
    await harness.clock.advance(100_000);
    expect(source().ends).toEqual(['timeout']);
  });

  it('whose message ids are used up gets the next one as a CON when an id is free', async () => {
    const { harness, client, source, register } = observed({ nonBurst: 100_000 });
    await register(false);
    client.take();
    let count = 0;
    while (harness.metric('dropped_total', { reason: 'no_message_id' }) === 0) {
      for (let i = 0; i < 20; i++) source().notify(`${count++}`);
      await harness.clock.advance(2);
      client.raw.length = 0;
    }
    expect(count).toBeGreaterThan(53_000);
    await harness.clock.advance(300_000);
    expect(client.received.map((packet) => `${packet.payload}`)).toEqual(
      Array.from({ length: count }, (_, i) => `${i}`),
    );
    expect(client.received.filter((packet) => packet.confirmable)).toHaveLength(1);
  });
});

describe('the pace of NON notifications (RFC 7641 section 4.5.1)', () => {
  /** Types of what has arrived since the last look, in runs: `'8 NON, 1 CON'`. */
  const runs = (client: FakeClient) => {
    const types = told(client).map((line) => line.slice(0, 3));
    const found: { type: string; count: number }[] = [];
    for (const type of types) {
      const last = found.at(-1);
      if (last?.type === type) last.count++;
      else found.push({ type, count: 1 });
    }
    return found.map(({ type, count }) => `${count} ${type}`).join(', ');
  };

  it('a burst is NON up to the limit; what follows is a CON, and nobody who acknowledges waits', async () => {
    const { harness, client, source, register } = observed({ nonBurst: 4 });
    await register(false);
    client.take();
    for (let i = 0; i < 12; i++) source().notify(`${i}`);
    await harness.clock.advance(30);
    expect(client.received.map(({ payload }) => `${payload}`)).toEqual(Array.from({ length: 12 }, (_, i) => `${i}`));
    // A round trip takes 2 ms here, and one more NON may go for each.
    expect(runs(client)).toBe('4 NON, 1 CON, 1 NON, 1 CON, 1 NON, 1 CON, 1 NON, 1 CON, 1 NON');
  });

  it('whoever acknowledges nothing gets the burst and one CON with its repetitions, however often something changes', async () => {
    const { harness, client, sources, register } = observed({ nonBurst: 4 });
    await register(false, 'aa');
    await register(false, 'bb');
    client.acknowledges = false;
    client.take();
    for (let second = 0; second < 60; second++) {
      for (const source of sources) source.notify(`${second}`);
      await harness.clock.advance(1_000);
    }
    expect(new Set(client.raw.map((datagram) => datagram.toString('hex'))).size).toBe(5);
    expect(runs(client)).toBe('4 NON, 5 CON');
    await harness.clock.advance(60_000);
    expect(client.received).toEqual([]);
    expect(sources.map((source) => source.ends)).toEqual([['timeout'], ['timeout']]);
  });

  it('the burst is one of the peer, not of each of its observations, and of no other peer', async () => {
    const { harness, client, sources, register } = observed({ nonBurst: 2 });
    await register(false, 'aa');
    await register(false, 'bb');
    const other = harness.another();
    await register(false, 'aa', other);
    client.acknowledges = false;
    client.take();
    other.take();
    for (let i = 0; i < 2; i++) for (const source of sources) source.notify(`${i}`);
    await harness.clock.advance(10);
    expect(runs(client)).toBe('2 NON, 1 CON');
    expect(runs(other)).toBe('2 NON');
  });

  it('on average one NON goes per round trip, measured by the acknowledgements', async () => {
    const { harness, client, source } = observed({ nonBurst: 2 });
    harness.network.conditions = { delay: 500 };
    client.acknowledges = false;
    client.request({ observe: 0, confirmable: false });
    await harness.clock.advance(2_000);
    client.acknowledges = true;
    for (let i = 0; i < 3; i++) source().notify(`${i}`);
    await harness.clock.advance(1_500);
    client.take();
    // The round trip is known now: 1 s. Changes every 200 ms for 20 s.
    for (let i = 0; i < 100; i++) {
      source().notify(`later ${i}`);
      await harness.clock.advance(200);
    }
    await harness.clock.advance(5_000);
    const types = told(client).map((line) => line.slice(0, 3));
    const nons = types.filter((type) => type === 'NON').length;
    expect(nons).toBeGreaterThan(15);
    expect(nons).toBeLessThanOrEqual(27);
  });

  it('while no round trip has been measured one NON goes in 3 s: an ACK to a repetition tells nothing', async () => {
    const { harness, client, source, register } = observed({ nonBurst: 1 });
    await register(false);
    client.take();
    client.acknowledges = false;
    source().notify('1');
    source().notify('2');
    await harness.clock.advance(4_000);
    const repetition = client.last;
    expect(runs(client)).toBe('1 NON, 2 CON');
    client.acknowledge(repetition);
    await harness.clock.advance(10);
    // More than 3 s after the last NON: the next one may go.
    source().notify('3');
    await harness.clock.advance(2_900);
    expect(runs(client)).toBe('1 NON');
    source().notify('4');
    await harness.clock.advance(10);
    expect(runs(client)).toBe('1 CON');
  });

  it('TV-291: a command that goes as NON is delivered when it is sent, one that goes as CON when it is acknowledged', async () => {
    const { harness, client, source, register } = observed({ nonBurst: 1 });
    await register(false);
    client.acknowledges = false;
    source().notify('as NON', { ackTimeout: 10_000 });
    source().notify('as CON', { ackTimeout: 10_000 });
    await harness.clock.advance(1_000);
    expect(source().events).toEqual(['sent as NON', 'delivered as NON', 'sent as CON']);
    client.acknowledge(client.last);
    await harness.clock.advance(10);
    expect(source().events).toEqual(['sent as NON', 'delivered as NON', 'sent as CON', 'delivered as CON']);
  });

  it('a registration again does not begin a new burst', async () => {
    const { harness, client, source, register } = observed({ nonBurst: 2 });
    await register(false);
    client.acknowledges = false;
    source().notify('1');
    source().notify('2');
    await harness.clock.advance(10);
    await register(false);
    client.take();
    source().notify('3');
    await harness.clock.advance(10);
    expect(runs(client)).toBe('1 CON');
  });

  it('a CON observation of the same peer is not paced', async () => {
    const { harness, client, sources, register } = observed({ nonBurst: 1 });
    await register(false, 'aa');
    await register(true, 'bb');
    client.take();
    for (let i = 0; i < 5; i++) sources[1]?.notify(`${i}`);
    await harness.clock.advance(50);
    expect(runs(client)).toBe('5 CON');
    sources[0]?.notify('1');
    await harness.clock.advance(10);
    expect(runs(client)).toBe('1 NON');
  });
});
