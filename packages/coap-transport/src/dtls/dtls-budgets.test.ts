import { systemClock } from '@tandem/core';
import type { FakeSocket } from '../endpoint/testing/fake-network';
import { recordEnd } from './records';
import { type DtlsClient, quickTimer } from './testing/dtls-client';
import { DtlsHarness } from './testing/dtls-harness';
import { selfSigned } from './testing/identities';

let harness: DtlsHarness;
const start = (options?: ConstructorParameters<typeof DtlsHarness>[0]) => {
  harness = new DtlsHarness(options);
};
afterEach(async () => {
  await harness.stop();
  expect(harness.log.filter(({ level }) => level === 'error')).toEqual([]);
});

const isHello = (datagram: Buffer) => datagram[0] === 22 && datagram[13] === 1 && datagram.readUInt16BE(3) === 0;

const isServerHello = (datagram: Buffer) => datagram[0] === 22 && datagram[13] === 2;
function recordsOf(datagram: Buffer): number {
  let count = 0;
  for (let start = 0; start < datagram.length; start = recordEnd(datagram, start)) count++;
  return count;
}

/** A client that says nothing more after its address is proved. */
function halfOpen(socket: FakeSocket): DtlsClient {
  const send = socket.send.bind(socket);
  socket.send = (datagram, to) => {
    if (isHello(datagram)) send(datagram, to);
  };
  return harness.client(socket).start();
}

/** Such clients, `count` of one address. */
async function halfOpenFrom(address: string, count: number): Promise<void> {
  for (let port = 1_000; port < 1_000 + count; port++) halfOpen(harness.bind(port, address));
  await harness.pass();
}

describe('Too many handshakes', () => {
  it('of one address push out its own oldest, and nobody else', async () => {
    start({ settings: { maxHandshakes: 20, maxHandshakesPerAddress: 5 } });
    const other = halfOpen(harness.bind(40_000));
    await halfOpenFrom('10.0.0.66', 12);
    expect([harness.metric('running_handshakes'), harness.metric('handshakes_total', { outcome: 'evicted' })]).toEqual([
      6, 7,
    ]);
    expect(other.state).toBe('handshake');
    // One of the same address still gets in.
    const honest = await harness.open(harness.bind(5_000, '10.0.0.66'));
    honest.send('in');
    await harness.pass();
    expect(harness.messages).toEqual(['in']);
  });

  it('of one network of IPv6 are those of one address', async () => {
    start({ settings: { maxHandshakesPerAddress: 3 } });
    for (let host = 1; host <= 6; host++) halfOpen(harness.bind(1_000, `2001:db8:0:1::${host}`));
    halfOpen(harness.bind(1_000, '2001:db8:0:2::1'));
    await harness.pass();
    expect([harness.metric('running_handshakes'), harness.metric('handshakes_total', { outcome: 'evicted' })]).toEqual([
      4, 3,
    ]);
  });

  it('of many addresses push out the oldest of the one that has most: whoever has few gets through', async () => {
    start({ settings: { maxHandshakes: 20, maxHandshakesPerAddress: 10 } });
    const slow = halfOpen(harness.bind(40_000));
    await harness.pass();
    for (const address of ['10.0.0.61', '10.0.0.62', '10.0.0.63', '10.0.0.64']) await halfOpenFrom(address, 8);
    expect([harness.metric('running_handshakes'), harness.metric('handshakes_total', { outcome: 'evicted' })]).toEqual([
      20, 13,
    ]);
    expect(slow.state).toBe('handshake');
    const quick = await harness.open(harness.bind(40_001, '10.0.0.2'));
    quick.send('in');
    await harness.pass();
    expect(harness.messages).toEqual(['in']);
  });

  it('tell a client that is pushed out, and do not begin again by its hello what it would mix up', async () => {
    start({ settings: { maxHandshakesPerAddress: 1 } });
    const socket = harness.bind(40_000);
    const sent: Buffer[] = [];
    const send = socket.send.bind(socket);
    socket.send = (datagram, to) => {
      sent.push(Buffer.from(datagram));
      if (isHello(datagram)) send(datagram, to);
    };
    const client = harness.client(socket).start();
    await harness.pass();
    halfOpen(harness.bind(40_001));
    await harness.pass();
    expect([harness.metric('handshakes_total', { outcome: 'evicted' }), client.state]).toEqual([1, 'failed']);
    expect(client.connection.failure).toContain('internal error');
    for (const hello of sent.filter(isHello).slice(-1)) send(hello, { ...harness.socket.local, session: undefined });
    await harness.pass();
    expect(harness.metric('handshakes_total', { outcome: 'evicted' })).toBe(1);
    expect(harness.metric('dropped_total', { reason: 'repeated_hello' })).toBe(1);
  });

  it('let clients in by the same hello that were pushed out before anything was said to them', async () => {
    start({ clock: systemClock, settings: { maxHandshakesPerAddress: 1 } });
    const withCookies: (() => void)[] = [];
    const clients = [40_000, 40_001, 40_002].map((port) => {
      const socket = harness.bind(port);
      const send = socket.send.bind(socket);
      let hellos = 0;
      // Those with the cookies arrive together, and so before any has its turn.
      socket.send = (datagram, to) => {
        if (++hellos !== 2) send(datagram, to);
        else if (withCookies.push(() => send(datagram, to)) === 3) for (const arrive of withCookies) arrive();
      };
      return harness.client(socket, { repeatAfter: 100 }).start();
    });
    await Promise.all(clients.map((client) => client.opened()));
    expect(harness.metric('handshakes_total', { outcome: 'evicted' })).toBeGreaterThanOrEqual(2);
    expect(harness.opened).toBe(3);
  });

  it('push out those that say nothing before one that goes on slowly', async () => {
    start({ settings: { maxHandshakesPerAddress: 3 } });
    const socket = harness.bind(40_000);
    const rest: (() => void)[] = [];
    const send = socket.send.bind(socket);
    socket.send = (datagram, to) => {
      if (isHello(datagram)) send(datagram, to);
      else rest.push(() => send(datagram, to));
    };
    const slow = harness.client(socket, { mtu: 256, identity: selfSigned('slow') }).start();
    await harness.pass();
    await halfOpenFrom('10.0.0.1', 2);
    expect(rest.length).toBeGreaterThan(1);
    rest.shift()?.();
    await harness.pass();
    for (const port of [2_000, 2_001]) halfOpen(harness.bind(port));
    await harness.pass();
    expect(harness.metric('handshakes_total', { outcome: 'evicted' })).toBe(2);
    for (const late of rest) late();
    await harness.pass();
    expect(slow.state).toBe('open');
  });

  it('of clients that say nothing get their flight four times, those that are still there more often, a datagram for each record', async () => {
    start({ clock: systemClock, prepare: quickTimer(40), settings: { handshakeTimeout: 1_500 } });
    const carry = harness.network.carry.bind(harness.network);
    const flights: Record<number, number> = { 40000: 0, 40001: 0 };
    const records: number[] = [];
    let again = () => {};
    harness.network.carry = (datagram, from, to) => {
      carry(datagram, from, to);
      if (to.port === 40_000) records.push(recordsOf(datagram));
      if (!isServerHello(datagram)) return;
      const count = (flights[to.port] ?? 0) + 1;
      flights[to.port] = count;
      if (to.port === 40_001 && count === 4) again();
    };
    for (const port of [40_000, 40_001]) {
      const socket = harness.bind(port);
      const send = socket.send.bind(socket);
      let hellos = 0;
      socket.send = (datagram, to) => {
        if (hellos++ < 2) send(datagram, to);
        if (port === 40_001 && isHello(datagram)) again = () => send(datagram, to);
      };
      harness.client(socket).start();
    }
    const deadline = Date.now() + 20_000;
    while (harness.metric('handshakes_total', { outcome: 'timed_out' }) < 2 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(harness.metric('handshakes_total', { outcome: 'timed_out' })).toBe(2);
    expect(flights[40_000]).toBe(4);
    expect(flights[40_001]).toBeGreaterThan(4);
    // The cookie, the flight, and its repetitions.
    expect(records[1]).toBeGreaterThan(2);
    expect(records.slice(-9)).toEqual(Array.from({ length: 9 }, () => 1));
  });

  it('end when their time is over', async () => {
    start({ settings: { handshakeTimeout: 30_000 } });
    await halfOpenFrom('10.0.0.66', 5);
    await harness.fake.advance(29_000);
    expect(harness.metric('running_handshakes')).toBe(5);
    await harness.fake.advance(2_000);
    expect([
      harness.metric('running_handshakes'),
      harness.metric('handshakes_total', { outcome: 'timed_out' }),
    ]).toEqual([0, 5]);
  });

  it('keep no more of one client waiting than its certificates can need', async () => {
    let lookups = 0;
    let found: (worked: boolean) => void = () => {};
    start({
      lookup: () => {
        if (lookups++ > 0) return undefined;
        return new Promise((resolve) => {
          found = resolve;
        });
      },
    });
    const socket = harness.bind(40_000);
    const client = harness.client(socket).start();
    await harness.pass();
    expect([client.state, lookups]).toEqual(['handshake', 1]);
    const junk = Buffer.from('16fefd0000000000000030000c140000000000000000000000', 'hex');
    for (let n = 0; n < 100; n++) socket.send(junk, { ...harness.socket.local, session: undefined });
    await harness.pass();
    expect(harness.metric('dropped_total', { reason: 'queue_full' })).toBeGreaterThan(50);
    found(true);
    await harness.pass();
    // Whatever was in between has not ended it: it is a message that comes too early.
    expect(client.state).toBe('open');
  });
});

describe('Too many sessions', () => {
  /** A session that its device is known of. */
  async function device(socket: FakeSocket): Promise<DtlsClient> {
    const client = await harness.open(socket);
    client.send('credentials');
    await harness.pass();
    harness.received.at(-1)?.session.known();
    return client;
  }

  it('close the one that was silent for longest, whatever is forged in its name', async () => {
    start({ settings: { maxSessions: 3 } });
    const [first, second, third] = [
      await device(harness.bind(40_001)),
      await device(harness.bind(40_002)),
      await device(harness.bind(40_003)),
    ];
    await harness.fake.advance(1_000);
    first?.send('here');
    await harness.pass();
    const forged = Buffer.from(`17fefd0001000000000099001a${'00'.repeat(26)}`, 'hex');
    const from = { address: '10.0.0.1', port: 40_002, session: undefined };
    harness.network.carry(forged, from, { ...harness.socket.local, session: undefined });
    await harness.pass();
    const fourth = await harness.open(harness.bind(40_004));
    await harness.pass();
    expect([first, second, third, fourth].map((client) => client?.state)).toEqual(['open', 'closed', 'open', 'open']);
    expect([harness.metric('sessions'), harness.metric('sessions_ended_total', { reason: 'evicted' })]).toEqual([3, 1]);
  });

  it('of one address close its own, and nobody else', async () => {
    start({ settings: { maxSessions: 10, maxSessionsPerAddress: 2 } });
    const other = await device(harness.bind(40_000));
    for (let port = 1_000; port < 1_005; port++) await device(harness.bind(port, '10.0.0.66'));
    await harness.pass();
    expect([
      other.state,
      harness.metric('sessions'),
      harness.metric('sessions_ended_total', { reason: 'evicted' }),
    ]).toEqual(['open', 3, 3]);
  });

  it('that are silent for too long are closed at the next look, and are told', async () => {
    start({ settings: { inactivityTimeout: 100_000, inactivityCheck: 30_000, maxSessions: 100 } });
    const silent: DtlsClient[] = [];
    for (let port = 1_000; port < 1_040; port++) silent.push(await device(harness.bind(port)));
    const lively = await device(harness.bind(40_000));
    for (let n = 0; n < 4; n++) {
      await harness.fake.advance(25_000);
      lively.send('here');
    }
    expect(harness.metric('sessions')).toBe(41);
    await harness.fake.advance(31_000);
    expect(silent.filter(({ state }) => state === 'closed')).toHaveLength(40);
    expect([
      lively.state,
      harness.metric('sessions'),
      harness.metric('sessions_ended_total', { reason: 'idle' }),
    ]).toEqual(['open', 1, 40]);
    expect(harness.endedSessions).toHaveLength(40);
  });

  it('of strangers push out one another, and no device, however many addresses they are of', async () => {
    start({ settings: { maxSessions: 12, maxSessionsPerAddress: 6 } });
    const devices = [await device(harness.bind(40_001)), await device(harness.bind(40_002))];
    const early = await harness.open(harness.bind(40_003));
    for (let n = 0; n < 30; n++) await harness.open(harness.bind(2_000 + n, `10.1.0.${Math.floor(n / 6)}`));
    expect(devices.map(({ state }) => state)).toEqual(['open', 'open']);
    expect([harness.metric('sessions'), harness.metric('strangers')]).toEqual([5, 3]);
    expect(harness.metric('sessions_ended_total', { reason: 'evicted' })).toBe(28);
    expect(early.state).toBe('closed');
    const late = await device(harness.bind(40_004));
    expect([late.state, harness.metric('sessions'), harness.metric('strangers')]).toEqual(['open', 5, 2]);
  });

  it('are those of strangers first where devices fill all places, so that a flood takes one of theirs', async () => {
    start({ settings: { maxSessions: 4, maxSessionsPerAddress: 4 } });
    const devices: DtlsClient[] = [];
    for (let n = 0; n < 4; n++) devices.push(await device(harness.bind(40_000 + n)));
    for (let n = 0; n < 10; n++) await harness.open(harness.bind(2_000 + n, `10.1.0.${n}`));
    expect(devices.map(({ state }) => state)).toEqual(['closed', 'open', 'open', 'open']);
    expect([harness.metric('sessions'), harness.metric('strangers')]).toEqual([4, 1]);
  });

  it('of devices behind one address leave each other alone while there is a stranger among them', async () => {
    start({ settings: { maxSessions: 100, maxSessionsPerAddress: 3 } });
    const devices = [await device(harness.bind(40_001)), await device(harness.bind(40_002))];
    for (let n = 0; n < 5; n++) await harness.open(harness.bind(2_000 + n));
    expect(devices.map(({ state }) => state)).toEqual(['open', 'open']);
    expect([harness.metric('sessions'), harness.metric('sessions_ended_total', { reason: 'evicted' })]).toEqual([3, 4]);
  });

  it('of strangers that say nothing are closed after a minute, and one in which credentials were shown goes on', async () => {
    start();
    const stranger = await harness.open(harness.bind(40_001));
    const known = await device(harness.bind(40_002));
    const talking = await harness.open(harness.bind(40_003));
    await harness.fake.advance(50_000);
    talking.send('still here');
    await harness.fake.advance(50_000);
    expect([stranger.state, known.state, talking.state]).toEqual(['closed', 'open', 'open']);
    expect(harness.metric('sessions_ended_total', { reason: 'idle' })).toBe(1);
  });
});

describe('A flood of ClientHellos', () => {
  it('of 10,000 leaves nothing behind, and a client gets in and is served meanwhile', async () => {
    start();
    const sent: Buffer[] = [];
    const recorder = harness.bind(40_000);
    const send = recorder.send.bind(recorder);
    recorder.send = (datagram, to) => {
      sent.push(Buffer.from(datagram));
      send(datagram, to);
    };
    await harness.open(recorder);
    const [hello] = sent;
    const to = { ...harness.socket.local, session: undefined };
    const flood = (from: number) => {
      for (let n = from; n < from + 2_500; n++) {
        const copy = Buffer.from(hello as Buffer);
        // Another random each, and every third with something broken in it.
        copy.writeUInt32BE(n, 27);
        if (n % 3 === 0) copy[13 + (n % (copy.length - 13))] = n & 255;
        const address = `10.1.${(n >> 8) & 255}.${n & 255}`;
        harness.network.carry(copy, { address, port: 1_024 + (n % 60_000), session: undefined }, to);
      }
    };
    // Once for what is allocated once.
    flood(0);
    await harness.pass();
    const before = process.memoryUsage().rss;
    const cookies = harness.metric('cookies_total');
    for (let n = 1; n <= 4; n++) {
      flood(n * 2_500);
      const client = await harness.open(harness.bind(41_000 + n));
      client.send(`in ${n}`);
      await harness.pass();
    }
    expect(harness.messages).toEqual(['in 1', 'in 2', 'in 3', 'in 4']);
    expect(harness.metric('cookies_total') - cookies).toBeGreaterThan(7_000);
    expect([harness.metric('running_handshakes'), harness.metric('sessions'), harness.metric('hellos')]).toEqual([
      0, 5, 5,
    ]);
    expect(process.memoryUsage().rss - before).toBeLessThan(64e6);
  });

  it('of 20,000 datagrams that are none, or of no session, is not answered at all', async () => {
    start();
    let answers = 0;
    const socket = harness.bind(40_000);
    socket.receive(() => answers++);
    const to = { ...harness.socket.local, session: undefined };
    for (let n = 0; n < 20_000; n++) {
      const garbage = Buffer.alloc(1 + (n % 80), n);
      if (n % 2 === 0) garbage[0] = 20 + (n % 4);
      if (garbage.length > 13 && n % 4 < 2) {
        Buffer.from([20 + (n % 4), 0xfe, 0xfd, 0, n & 1]).copy(garbage);
        garbage.writeUInt16BE(garbage.length - 13, 11);
      }
      harness.network.carry(garbage, { ...socket.local, session: undefined }, to);
      if (n % 1_000 === 0) await harness.fake.advance(2);
    }
    await harness.pass();
    expect(answers).toBe(0);
    expect(harness.metric('dropped_total', { reason: 'no_record' })).toBeGreaterThan(5_000);
    expect(harness.metric('dropped_total', { reason: 'no_session' })).toBeGreaterThan(1_000);
  });
});

describe('TANDEM_COAP_SOURCE_DATAGRAMS', () => {
  it('holds for hellos, handshakes and whatever else comes under DTLS, and others get in', async () => {
    start({ settings: { sourceDatagrams: 1 } });
    const socket = harness.bind(40_000, '10.0.0.66');
    const to = { ...harness.socket.local, session: undefined };
    for (let n = 0; n < 15; n++) socket.send(Buffer.from('16fefd0000000000000099000201', 'hex'), to);
    await harness.pass();
    expect(harness.metric('dropped_total', { reason: 'source_datagrams' })).toBe(5);
    const client = harness.client(harness.bind(40_001, '10.0.0.66')).start();
    await harness.pass();
    expect([client.state, harness.metric('cookies_total')]).toEqual(['handshake', 0]);
    const other = await harness.open(harness.bind(40_000));
    other.send('in');
    await harness.pass();
    expect([harness.messages, harness.metric('sources')]).toEqual([['in'], 2]);
  });
});

describe('A ClientHello that is spoilt', () => {
  it('gets no cookie, and none is counted', async () => {
    start();
    const socket = harness.bind(40_000);
    const sent: Buffer[] = [];
    let answers = 0;
    const send = socket.send.bind(socket);
    socket.send = (datagram) => void sent.push(Buffer.from(datagram));
    harness.client(socket).start();
    socket.receive(() => answers++);
    const spoilt = Buffer.from(sent[0] ?? []);
    // Its fragment is longer than all of it.
    spoilt[22] = 1;
    send(spoilt, { ...harness.socket.local, session: undefined });
    await harness.pass();
    expect([answers, harness.metric('cookies_total')]).toEqual([0, 0]);
  });
});
