import { createPrivateKey, createPublicKey, createSign, createVerify, generateKeyPairSync } from 'node:crypto';
import type { DtlsSession } from './session';
import { DtlsHarness, nameOf } from './testing/dtls-harness';
import { filesOf, RSA, selfSigned } from './testing/identities';
import { leaveError, memoryUse, pendingErrors } from './testing/memory-use';

let harness: DtlsHarness;
const start = (options?: ConstructorParameters<typeof DtlsHarness>[0]) => {
  harness = new DtlsHarness(options);
};
afterEach(() => harness.stop());

const isHello = (datagram: Buffer) => datagram[0] === 22 && datagram[13] === 1 && datagram.readUInt16BE(3) === 0;

describe('A certificate that is replaced', () => {
  const [FIRST, SECOND, BY_RSA] = [selfSigned('first'), selfSigned('second'), selfSigned('third', RSA)];

  it('counts from the next handshake on: sessions and handshakes go on, and are resumed', async () => {
    start({ files: filesOf(FIRST) });
    const open = await harness.open(harness.bind(40_000));
    const ticket = open.ticket();
    const socket = harness.bind(40_001);
    const send = socket.send.bind(socket);
    const held: Buffer[] = [];
    let holding = true;
    socket.send = (datagram, to) => {
      if (!holding || isHello(datagram)) send(datagram, to);
      else held.push(Buffer.from(datagram));
    };
    const underWay = harness.client(socket).start();
    await harness.pass();
    harness.reload(filesOf(SECOND));
    harness.reload(filesOf(BY_RSA));
    holding = false;
    for (const datagram of held) send(datagram, { ...harness.socket.local, session: undefined });
    await harness.pass();
    expect([underWay.state, underWay.serverName]).toEqual(['open', 'CN=first']);
    open.send('before');
    underWay.send('meanwhile');
    const next = await harness.open(harness.bind(40_002));
    next.send('after');
    await harness.pass();
    expect(next.serverName).toBe('CN=third');
    expect(harness.messages).toEqual(['before', 'meanwhile', 'after']);
    const resumed = await harness.open(harness.bind(40_003), { resume: ticket });
    expect(resumed.resumed).toBe(true);
  });

  it('by one that is none leaves the former one in use, and says so', async () => {
    start({ files: filesOf(FIRST) });
    harness.reload(filesOf({ certificate: FIRST.certificate, key: SECOND.key }));
    harness.reload(filesOf({ certificate: 'none', key: FIRST.key }));
    expect(harness.log.filter(({ level }) => level === 'error')).toHaveLength(2);
    expect((await harness.open(harness.bind(40_000))).serverName).toBe('CN=first');
  });

  it('hundreds of times takes no memory', async () => {
    start({ files: filesOf(FIRST) });
    const reload = (times: number) => {
      for (let n = 0; n < times; n++) harness.reload(filesOf(n % 2 === 0 ? SECOND : FIRST));
    };
    reload(50);
    const before = memoryUse();
    reload(400);
    expect(memoryUse() - before).toBeLessThan(300_000);
    expect((await harness.open(harness.bind(40_000))).serverName).toBe('CN=first');
  });
});

it('A datagram that is forged does not end a session, whatever error others have left to OpenSSL', async () => {
  start();
  const socket = harness.bind(40_000);
  const client = await harness.open(socket);
  const forged = Buffer.concat([Buffer.from('17fefd00010000000000630028', 'hex'), Buffer.alloc(40, 5)]);
  // Where node:crypto clears it, it does so at the end of its turn.
  leaveError();
  expect(pendingErrors()).not.toBe(0);
  socket.send(forged, { ...harness.socket.local, session: undefined });
  await harness.pass();
  client.send('still here');
  await harness.pass();
  expect([client.state, harness.messages]).toEqual(['open', ['still here']]);
});

describe('A session may be ended', () => {
  it('by whoever is being told of a message in it, while more of them are in the datagram', async () => {
    start();
    harness.onMessage = (_message, session: DtlsSession) => {
      session.close('revoked');
      session.close('revoked');
      harness.socket.send(Buffer.from('nobody hears this'), session.destination);
    };
    const socket = harness.bind(40_000);
    const client = await harness.open(socket);
    const kept: Buffer[] = [];
    const send = socket.send.bind(socket);
    socket.send = (datagram) => void kept.push(Buffer.from(datagram));
    for (const message of ['a', 'b', 'c']) client.send(message);
    send(Buffer.concat(kept), { ...harness.socket.local, session: undefined });
    await harness.pass();
    expect([harness.messages, client.messages, client.state]).toEqual([['a'], [], 'closed']);
    expect([harness.metric('sessions_ended_total', { reason: 'revoked' }), harness.endedSessions.length]).toEqual([
      1, 1,
    ]);
    expect(harness.log.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('by the end of everything, in the middle of a message', async () => {
    start();
    let closed: Promise<void> | undefined;
    harness.onMessage = () => {
      closed = harness.socket.close();
    };
    const clients = [await harness.open(harness.bind(40_000)), await harness.open(harness.bind(40_001))];
    clients[0]?.send('last');
    await harness.pass();
    await closed;
    expect(clients.map(({ state }) => state)).toEqual(['closed', 'closed']);
    expect(harness.metric('sessions_ended_total', { reason: 'shutdown' })).toBe(2);
    expect(harness.log.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('The end', () => {
  it('is told to all sessions, and to handshakes by silence', async () => {
    start({ settings: { maxSessions: 2_000, maxSessionsPerAddress: 2_000 } });
    const clients = [];
    for (let n = 0; n < 300; n++) clients.push(await harness.open(harness.bind(10_000 + n)));
    const socket = harness.bind(40_000);
    const send = socket.send.bind(socket);
    socket.send = (datagram, to) => {
      if (isHello(datagram)) send(datagram, to);
    };
    harness.client(socket).start();
    await harness.pass();
    const closed = harness.socket.close();
    await harness.pass();
    await closed;
    expect(clients.filter(({ state }) => state === 'closed')).toHaveLength(300);
    expect([harness.metric('sessions'), harness.metric('running_handshakes')]).toEqual([0, 0]);
  });
});

describe('The errors of OpenSSL', () => {
  it('of failed handshakes do not turn up in what else uses it', async () => {
    start({ certificates: { acceptsCertificates: () => ({ refused: 'expired' }), stillAccepts: () => false } });
    const one = selfSigned('one');
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    for (let n = 0; n < 10; n++) {
      const client = harness.client(harness.bind(40_000 + n), { identity: one }).start();
      await harness.pass();
      expect(client.state).toBe('failed');
      // Each of these takes what is in the queue for its own error, or its absence for success.
      expect(() => createPrivateKey('none')).toThrow(/DECODER|PEM|unsupported/i);
      expect(() => createPublicKey(`-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----`)).toThrow(
        /asn1|ASN1|DECODER/,
      );
      const signature = createSign('sha256').update('x').sign(privateKey);
      expect(createVerify('sha256').update('x').verify(publicKey, signature)).toBe(true);
      expect(createVerify('sha256').update('y').verify(publicKey, signature)).toBe(false);
      expect(pendingErrors()).toBe(0);
    }
    expect(harness.metric('handshakes_total', { outcome: 'failed' })).toBe(10);
    const failed = harness.log.filter(({ message }) => message === 'DTLS handshake failed');
    const reason = 'the certificate of the client, or one that it is from, has expired';
    const openssl = 'certificate verify failed';
    expect(failed.map(({ fields }) => fields)).toEqual([{ address: '10.0.0.1', port: 40_000, reason, openssl }]);
    expect(harness.metric('handshake_failures_total', { reason: 'expired' })).toBe(10);
  });

  it('of forgeries and ended sessions do not either', async () => {
    start();
    const socket = harness.bind(40_000);
    const client = await harness.open(socket);
    const to = { ...harness.socket.local, session: undefined };
    for (const forged of [
      '17fefd00010000000000990004deadbeef',
      '15fefd00010000000000990004deadbeef',
      '16fefd000000000000009900020100',
    ]) {
      socket.send(Buffer.from(forged, 'hex'), to);
      await harness.pass();
      expect(pendingErrors()).toBe(0);
    }
    client.close();
    await harness.pass();
    expect([pendingErrors(), harness.received.map(({ session }) => nameOf(session))]).toEqual([0, []]);
  });
});

describe('Two hundred handshakes, half of which come to nothing', () => {
  it('leave no memory behind', async () => {
    start({ settings: { maxSessionsPerAddress: 1_000, maxSessions: 1_000 } });
    const one = selfSigned('one');
    const round = async (count: number) => {
      for (let n = 0; n < count; n++) {
        const socket = harness.bind(40_000);
        const client = harness.client(socket, { identity: one });
        if (n % 2 === 0) {
          const send = socket.send.bind(socket);
          socket.send = (datagram, to) => {
            if (isHello(datagram)) send(datagram, to);
          };
        }
        client.start();
        await harness.pass();
        client.close();
        client.free();
        await harness.pass();
        harness.network.vacate('10.0.0.1', 40_000);
      }
    };
    await round(60);
    const before = memoryUse();
    await round(200);
    // A session is 65 kB.
    expect(memoryUse() - before).toBeLessThan(1e6);
  });
});
