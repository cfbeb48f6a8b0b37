import { systemClock } from '@tandem/core';
import type { FakeSocket, NetworkConditions } from '../endpoint/testing/fake-network';
import { FakeRandom } from '../endpoint/testing/fake-random';
import { type ClientIdentity, type DtlsClient, quickTimer } from './testing/dtls-client';
import { DtlsHarness, nameOf } from './testing/dtls-harness';
import { selfSigned } from './testing/identities';

/** OpenSSL waits for real time: here a fiftieth of it, and all clients wait at once. */
const REPEAT_AFTER = 40;
const IDENTITIES: readonly (ClientIdentity | undefined)[] = [selfSigned('one'), selfSigned('other'), undefined];
const NAMES = ['CN=one', 'CN=other', undefined];
/** For clients that are to give up. */
const SOON_OVER = 8;
const PATIENCE = 20_000;

let harness: DtlsHarness;
afterEach(async () => {
  await harness.stop();
  expect(harness.log.filter(({ level }) => level === 'error')).toEqual([]);
  // Whatever happened on the way, nothing is left.
  expect([
    harness.metric('running_handshakes'),
    harness.metric('waiting_handshakes'),
    harness.metric('sessions'),
  ]).toEqual([0, 0, 0]);
});

function network(conditions: NetworkConditions): void {
  harness = new DtlsHarness({
    clock: systemClock,
    prepare: quickTimer(REPEAT_AFTER),
    settings: {
      maxSessions: 10_000,
      maxSessionsPerAddress: 10_000,
      maxHandshakes: 1_000,
      maxHandshakesPerAddress: 1_000,
      handshakeTimeout: PATIENCE,
    },
  });
  harness.network.conditions = { delay: 1, jitter: 2, ...conditions };
}

const client = (socket: FakeSocket, n: number, repeatAfter = REPEAT_AFTER) =>
  harness.client(socket, {
    identity: IDENTITIES[n % 3],
    mtu: n % 4 === 0 ? 300 : 1_200,
    repeatAfter,
  });

/** Sends until it is answered, as CoAP does. */
async function exchange(of: DtlsClient, message: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const deadline = Date.now() + PATIENCE;
    let again: NodeJS.Timeout;
    const send = () => {
      if (Date.now() > deadline) reject(new Error(`no answer to ${message}`));
      of.send(message);
      again = setTimeout(send, 50);
    };
    of.onMessage = (answer) => {
      if (answer.toString() !== message) return;
      clearTimeout(again);
      resolve();
    };
    send();
  });
}

/** Opens sessions, all at once, and exchanges a message in each. */
async function serve(count: number): Promise<void> {
  const all = Array.from({ length: count }, async (_, n) => {
    const one = client(harness.bind(10_000 + n), n).start();
    await one.opened();
    await exchange(one, `from ${n}`);
    one.free();
  });
  await Promise.all(all);
  const names = new Map(harness.received.map(({ message, session }) => [message, nameOf(session)]));
  for (let n = 0; n < count; n++) expect([n, names.get(`from ${n}`)]).toEqual([n, NAMES[n % 3]]);
}

describe('Every client gets its session, and is who it is', () => {
  it.each([
    ['on a good network', 120, {}],
    ['with a fifth of all datagrams lost', 100, { loss: 0.2 }],
    ['with a third of them twice', 100, { duplication: 0.33 }],
    ['with many of them out of order', 100, { jitter: 25 }],
    ['with all of that', 60, { loss: 0.1, duplication: 0.2, jitter: 15 }],
  ] as const)('%s', async (_name, count, conditions) => {
    network(conditions);
    await serve(count);
    expect(harness.opened).toBeGreaterThanOrEqual(count);
    expect([
      harness.metric('handshakes_total', { outcome: 'failed' }),
      harness.metric('handshakes_total', { outcome: 'replaced' }),
    ]).toEqual([0, 0]);
  });

  it('beside others that lie: bits are flipped, datagrams cut, repeated and sent in the name of others', async () => {
    network({});
    const random = new FakeRandom(5);
    const pick = (below: number) => Math.floor(random.fraction() * below);
    const seen: Buffer[] = [];
    const to = { ...harness.socket.local, session: undefined };
    const carry = harness.network.carry.bind(harness.network);
    const mutated = (datagram: Buffer): Buffer => {
      const copy = Buffer.from(datagram);
      const at = pick(copy.length);
      switch (pick(4)) {
        case 0:
          copy[at] = (copy[at] ?? 0) ^ (1 << pick(8));
          return copy;
        case 1:
          return copy.subarray(0, at);
        case 2:
          return Buffer.concat([copy, seen[pick(seen.length)] ?? copy]);
        default:
          copy.fill(pick(256), at, Math.min(copy.length, at + 4));
          return copy;
      }
    };
    harness.network.carry = (datagram, from, destination) => {
      carry(datagram, from, destination);
      if (destination.port !== harness.socket.local.port) return;
      if (seen.length < 2_000) seen.push(Buffer.from(datagram));
      // Of strangers, and of clients that are long open: nobody on the way can change a handshake and have it succeed.
      const liar = 20_000 + pick(100);
      carry(mutated(seen[pick(seen.length)] ?? datagram), { address: '10.0.0.7', port: liar, session: undefined }, to);
      const victim = veterans[pick(veterans.length)];
      if (victim !== undefined) carry(mutated(seen[pick(seen.length)] ?? datagram), victim, to);
    };
    const veterans: { readonly address: string; readonly port: number; readonly session: undefined }[] = [];
    const open: DtlsClient[] = [];
    for (let n = 0; n < 30; n++) {
      const one = client(harness.bind(5_000 + n), n).start();
      await one.opened();
      open.push(one);
      veterans.push({ address: '10.0.0.1', port: 5_000 + n, session: undefined });
    }
    await serve(60);
    for (const [n, one] of open.entries()) await exchange(one, `veteran ${n}`);
    const count = new Map<string, number>();
    for (const { message } of harness.received) count.set(message, (count.get(message) ?? 0) + 1);
    for (let n = 0; n < 30; n++) expect(count.get(`veteran ${n}`)).toBeGreaterThanOrEqual(1);
    // Nothing that was not sent has come out.
    for (const message of count.keys()) expect(message).toMatch(/^(from|veteran) \d+$/);
  });

  it('or fails, where what it sends is spoilt on its way: nothing else happens to anybody', async () => {
    network({});
    const random = new FakeRandom(3);
    const carry = harness.network.carry.bind(harness.network);
    harness.network.carry = (datagram, from, to) => {
      if (from.port < 20_000 || to.port !== harness.socket.local.port || random.fraction() > 0.25)
        return carry(datagram, from, to);
      const copy = Buffer.from(datagram);
      const at = Math.floor(random.fraction() * copy.length);
      copy[at] = (copy[at] ?? 0) ^ (1 + Math.floor(random.fraction() * 255));
      carry(copy, from, to);
    };
    const spoilt = Array.from({ length: 80 }, (_, n) => client(harness.bind(20_000 + n), n, SOON_OVER).start());
    await Promise.all([
      serve(30),
      ...spoilt.map((one) =>
        one
          .opened()
          .catch(() => {})
          .finally(() => one.free()),
      ),
    ]);
    for (const { session } of harness.received) expect(NAMES).toContain(nameOf(session));
  });
});
