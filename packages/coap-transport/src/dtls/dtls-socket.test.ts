import type { FakeSocket } from '../endpoint/testing/fake-network';
import { forgetTicket } from './testing/dtls-client';
import { DtlsHarness, nameOf } from './testing/dtls-harness';
import { selfSigned } from './testing/identities';

let harness: DtlsHarness;
/** Everything that the last client's socket has sent, in order. */
let sent: Buffer[];

/** A socket whose datagrams are recorded, and pass as `filter` says. */
function bind(
  port: number,
  filter: (datagram: Buffer, index: number) => Buffer[] = (datagram) => [datagram],
): FakeSocket {
  harness.network.vacate('10.0.0.1', port);
  const socket = harness.bind(port);
  const send = socket.send.bind(socket);
  sent = [];
  socket.send = (datagram, to) => {
    const copy = Buffer.from(datagram);
    sent.push(copy);
    for (const passed of filter(copy, sent.length - 1)) send(passed, to);
  };
  return socket;
}

/** Something that seems to come from a client. */
function forge(socket: FakeSocket, datagram: Buffer): void {
  harness.network.carry(
    datagram,
    { ...socket.local, session: undefined },
    { ...harness.socket.local, session: undefined },
  );
}

const record = (type: number, epoch: number, body: Buffer, sequence = 50): Buffer => {
  const header = Buffer.from([type, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, sequence, 0, 0]);
  header.writeUInt16BE(body.length, 11);
  return Buffer.concat([header, body]);
};
const FATAL = record(21, 0, Buffer.from([2, 40]));
const CLOSE_NOTIFY = record(21, 0, Buffer.from([1, 0]));
const isHello = (datagram: Buffer) => datagram[0] === 22 && datagram[13] === 1 && datagram.readUInt16BE(3) === 0;

const [ONE, OTHER] = [selfSigned('one'), selfSigned('other')];

const start = (options?: ConstructorParameters<typeof DtlsHarness>[0]) => {
  harness = new DtlsHarness(options);
};
afterEach(async () => {
  await harness.stop();
  expect(harness.log.filter(({ level }) => level === 'error')).toEqual([]);
});

describe('A session', () => {
  it('opens with a certificate or without, and carries messages both ways', async () => {
    start();
    const one = await harness.open(bind(40_000), { identity: ONE });
    const nobody = await harness.open(bind(40_001));
    one.send('from one');
    nobody.send('from nobody');
    await harness.pass();
    expect(harness.received.map(({ message, session }) => [message, nameOf(session)])).toEqual([
      ['from one', 'CN=one'],
      ['from nobody', undefined],
    ]);
    expect([one.messages, nobody.messages]).toEqual([['from one'], ['from nobody']]);
    expect([harness.metric('sessions'), harness.metric('running_handshakes'), harness.opened]).toEqual([2, 0, 2]);
  });

  it('ends when the peer says so, is answered in kind, and leaves nothing behind', async () => {
    start();
    const socket = bind(40_000);
    const client = await harness.open(socket);
    const arrived: Buffer[] = [];
    socket.receive((datagram) => arrived.push(datagram));
    client.close();
    await harness.pass();
    // One encrypted alert.
    expect(arrived.map((datagram) => [datagram[0], datagram.readUInt16BE(3)])).toEqual([[21, 1]]);
    expect(harness.endedSessions).toHaveLength(1);
    expect([harness.metric('sessions'), harness.metric('sessions_ended_total', { reason: 'closed_by_peer' })]).toEqual([
      0, 1,
    ]);
    harness.socket.send(
      Buffer.from('too late'),
      (harness.endedSessions[0] as never as { destination: never }).destination,
    );
  });

  it('goes on whatever is forged, broken or repeated: what was sent arrives once', async () => {
    start();
    const socket = bind(40_000);
    const client = await harness.open(socket);
    for (let n = 0; n < 20; n++) {
      client.send(`message ${n}`);
      const last = sent.at(-1) ?? Buffer.alloc(0);
      forge(socket, last);
      forge(socket, FATAL);
      forge(socket, CLOSE_NOTIFY);
      forge(socket, record(21, 1, Buffer.alloc(26, n)));
      forge(socket, record(22, 1, Buffer.alloc(40, n)));
      forge(socket, record(20, 0, Buffer.from([1])));
      forge(socket, record(23, 0, Buffer.from('in clear')));
      forge(socket, record(23, 2, Buffer.alloc(40, n)));
      const flipped = Buffer.from(last);
      flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
      forge(socket, flipped);
      await harness.pass();
    }
    expect(harness.messages).toEqual(Array.from({ length: 20 }, (_, n) => `message ${n}`));
    expect(client.messages).toEqual(harness.messages);
    expect([harness.metric('sessions'), client.state]).toEqual([1, 'open']);
  });

  it('takes several records out of one datagram', async () => {
    start();
    const kept: Buffer[] = [];
    let keep = false;
    const client = await harness.open(
      bind(40_000, (datagram) => {
        if (!keep) return [datagram];
        kept.push(datagram);
        return [];
      }),
    );
    keep = true;
    for (const message of ['a', 'b', 'c']) client.send(message);
    forge(harness.network.bind('10.0.0.1', 40_009), Buffer.concat(kept));
    await harness.pass();
    expect(harness.messages).toEqual([]);
    harness.network.carry(
      Buffer.concat(kept),
      { address: '10.0.0.1', port: 40_000, session: undefined },
      { ...harness.socket.local, session: undefined },
    );
    await harness.pass();
    expect(harness.messages).toEqual(['a', 'b', 'c']);
  });

  // Only the client of a resumed session can send at once behind its Finished, which is the last message of that handshake.
  it('hears what overtook the last message of its handshake, also beside the session it replaces', async () => {
    for (const beside of [false, true]) {
      start();
      const socket = bind(40_000);
      const first = await harness.open(socket);
      const resume = first.ticket();
      if (!beside) first.close();
      await harness.pass();
      const held: Buffer[] = [];
      const again = bind(beside ? 40_000 : 40_001, (datagram) => {
        if (isHello(datagram) || datagram[0] === 23) return [datagram];
        held.push(datagram);
        return [];
      });
      const client = harness.client(again, { resume }).start();
      await harness.pass();
      expect([client.state, client.resumed, harness.metric('running_handshakes')]).toEqual(['open', true, 1]);
      client.send('overtook it');
      await harness.pass();
      expect(harness.messages).toEqual([]);
      for (const datagram of held) forge(again, datagram);
      await harness.pass();
      expect(harness.messages).toEqual(['overtook it']);
      expect([client.messages, harness.metric('handshakes_total', { outcome: 'resumed' })]).toEqual([
        ['overtook it'],
        1,
      ]);
      forgetTicket(resume);
      await harness.stop();
    }
  });

  it('answers a repeated Finished with its own, as long as the client has not got it', async () => {
    start();
    const socket = bind(40_000);
    const arrive = socket.arrive.bind(socket);
    let lost = 0;
    socket.arrive = (datagram, from) => {
      // The last flight of the server begins with a ticket or a ChangeCipherSpec after that of the client.
      const last = sent.some((one) => !isHello(one)) && lost < 1;
      if (last) lost++;
      else arrive(datagram, from);
    };
    const client = harness.client(socket, { repeatAfter: 500 }).start();
    await harness.pass();
    // Finished, says the server, and the client does not know.
    expect([client.state, harness.metric('sessions')]).toEqual(['handshake', 1]);
    await harness.repeats(client);
    expect(client.state).toBe('open');
    client.send('hello');
    await harness.pass();
    expect([harness.messages, harness.metric('sessions')]).toEqual([['hello'], 1]);
  });
});

describe('A ClientHello', () => {
  it('without the cookie of its address leaves nothing behind, and is answered with less than it brought', async () => {
    start();
    const socket = bind(40_000);
    harness.client(socket).start();
    await harness.pass();
    const [first, second] = sent.filter(isHello);
    const before = harness.metric('cookies_total');
    const bytes = harness.network.bytes;
    for (let port = 1_000; port < 1_200; port++) {
      // With the cookie of another address it is worth as much as without.
      forge(harness.network.bind('10.0.0.9', port), first as Buffer);
      forge(harness.network.bind('10.0.0.10', port), second as Buffer);
    }
    await harness.pass();
    expect(harness.metric('cookies_total') - before).toBe(400);
    const [came, all] = [200 * ((first?.length ?? 0) + (second?.length ?? 0)), harness.network.bytes - bytes];
    expect(all - came).toBeLessThan(came);
    expect([harness.metric('running_handshakes'), harness.metric('sessions'), harness.metric('hellos')]).toEqual([
      0, 1, 1,
    ]);
  });

  it('that is as short as can be gets an answer that is shorter', async () => {
    start();
    const body = Buffer.concat([Buffer.from('fefd', 'hex'), Buffer.alloc(32, 5), Buffer.from([0, 0])]);
    const head = Buffer.from([1, 0, 0, body.length, 0, 0, 0, 0, 0, 0, 0, body.length]);
    const shortest = record(22, 0, Buffer.concat([head, body]), 0);
    const socket = harness.bind(40_000);
    const answers: Buffer[] = [];
    socket.receive((datagram) => answers.push(datagram));
    forge(socket, shortest);
    await harness.pass();
    expect(answers).toHaveLength(1);
    expect(answers[0]?.length).toBeLessThan(shortest.length);
  });

  it('from nobody, or from the gateway itself, is not answered', async () => {
    start();
    harness.client(bind(40_000)).start();
    const [hello] = sent;
    const to = { ...harness.socket.local, session: undefined };
    const before = harness.network.datagrams;
    for (const [address, port] of [
      ['10.0.0.1', 0],
      ['255.255.255.255', 40_000],
      ['224.0.0.1', 40_000],
      [harness.socket.local.address, harness.socket.local.port],
    ] as const) {
      harness.network.carry(hello as Buffer, { address, port, session: undefined }, to);
    }
    await harness.fake.advance(1);
    expect(harness.metric('dropped_total', { reason: 'no_address' })).toBe(4);
    expect(harness.network.datagrams - before).toBe(4 + 1);
  });

  it('that comes twice begins one handshake', async () => {
    start();
    const client = await harness.open(
      bind(40_000, (datagram) => [datagram, datagram, datagram]),
      { identity: ONE },
    );
    client.send('once');
    await harness.pass();
    expect(harness.messages).toEqual(['once']);
    expect([harness.opened, harness.metric('running_handshakes'), harness.metric('sessions')]).toEqual([1, 0, 1]);
    expect(harness.metric('handshakes_total', { outcome: 'replaced' })).toBe(0);
  });

  it('that is replayed against the session it began, or after it, begins nothing', async () => {
    start();
    const socket = bind(40_000);
    const client = await harness.open(socket);
    const hellos = sent.filter(isHello);
    for (let n = 0; n < 50; n++) for (const hello of hellos) forge(socket, hello);
    await harness.pass();
    client.send('still here');
    await harness.pass();
    expect(client.messages).toEqual(['still here']);
    client.close();
    await harness.pass();
    for (const hello of hellos) forge(socket, hello);
    await harness.pass();
    expect([harness.metric('running_handshakes'), harness.metric('sessions')]).toEqual([0, 0]);
    expect(harness.opened).toBe(1);
  });

  it('of an earlier handshake does not replace one that is under way', async () => {
    start();
    const socket = bind(40_000);
    await harness.open(socket);
    const old = sent.filter(isHello);
    let hold = true;
    const held: Buffer[] = [];
    socket.send = ((send) => (datagram, to) => {
      if (hold && !isHello(datagram)) held.push(Buffer.from(datagram));
      else send(datagram, to);
    })(socket.send.bind(socket));
    const next = harness.client(socket, { identity: ONE }).start();
    await harness.pass();
    expect([harness.metric('running_handshakes'), next.state]).toEqual([1, 'handshake']);
    for (const hello of old) forge(socket, hello);
    await harness.pass();
    hold = false;
    for (const datagram of held) forge(socket, datagram);
    await harness.pass();
    expect([next.state, harness.metric('handshakes_total', { outcome: 'replaced' })]).toEqual(['open', 0]);
  });

  it('is forgotten when its cookie is none any more', async () => {
    start();
    await harness.open(bind(40_000));
    const hellos = sent.filter(isHello);
    expect(harness.metric('hellos')).toBe(1);
    await harness.fake.advance(130_000);
    forge(harness.network.bind('10.0.0.1', 40_001), hellos[1] as Buffer);
    await harness.pass();
    expect([harness.metric('hellos'), harness.metric('running_handshakes')]).toEqual([0, 0]);
  });

  it('may come in fragments, in datagrams of 256 bytes and more', async () => {
    for (const mtu of [256, 300, 400, 600]) {
      start();
      const client = await harness.open(bind(40_000), { mtu, identity: ONE });
      client.send(`of ${mtu}`);
      await harness.pass();
      expect(harness.received.map(({ message, session }) => [message, nameOf(session)])).toEqual([
        [`of ${mtu}`, 'CN=one'],
      ]);
      expect(Math.max(...sent.map(({ length }) => length))).toBeLessThanOrEqual(mtu);
      await harness.stop();
    }
  });
});

describe('A client that has started again on its port', () => {
  it('with another certificate is the other from the end of its handshake, and not before', async () => {
    start();
    const socket = bind(40_000);
    const before = await harness.open(socket, { identity: ONE });
    let cut = true;
    const socketSend = socket.send.bind(socket);
    socket.send = (datagram, to) => {
      if (!cut || isHello(datagram)) socketSend(datagram, to);
    };
    const after = harness.client(socket, { identity: OTHER, repeatAfter: 60 }).start();
    await harness.pass();
    expect([harness.metric('sessions'), harness.metric('running_handshakes'), after.state]).toEqual([
      1,
      1,
      'handshake',
    ]);
    cut = false;
    // Meanwhile the former one is served.
    before.send('still one');
    await harness.pass();
    expect(harness.received.map(({ message, session }) => [message, nameOf(session)])).toEqual([
      ['still one', 'CN=one'],
    ]);
    await harness.repeats(after);
    expect(after.state).toBe('open');
    after.send('other now');
    before.send('one no more');
    await harness.pass();
    expect(harness.received.map(({ message, session }) => [message, nameOf(session)])).toEqual([
      ['still one', 'CN=one'],
      ['other now', 'CN=other'],
    ]);
    expect([harness.metric('sessions'), harness.metric('sessions_ended_total', { reason: 'replaced' })]).toEqual([
      1, 1,
    ]);
  });

  it('in the middle of a handshake begins another', async () => {
    start();
    const socket = bind(40_000, (datagram) => (isHello(datagram) ? [datagram] : []));
    harness.client(socket, { identity: ONE }).start();
    await harness.pass();
    expect(harness.metric('running_handshakes')).toBe(1);
    harness.network.release(socket);
    const client = await harness.open(bind(40_000), { identity: OTHER });
    client.send('hello');
    await harness.pass();
    expect(harness.received.map(({ session }) => nameOf(session))).toEqual(['CN=other']);
    expect([harness.metric('running_handshakes'), harness.metric('handshakes_total', { outcome: 'replaced' })]).toEqual(
      [0, 1],
    );
  });
});
