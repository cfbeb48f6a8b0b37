import type { FakeSocket } from '../endpoint/testing/fake-network';
import { recordEnd } from './records';
import type { DtlsClient, DtlsClientOptions } from './testing/dtls-client';
import { DtlsHarness } from './testing/dtls-harness';

const KEY = { identity: 'device', key: Buffer.alloc(16, 3) };
const WRONG = { identity: 'device', key: Buffer.alloc(16, 4) };
const CHANGE_CIPHER_SPEC = 20;

let harness: DtlsHarness;
/** Addresses that have shown wrong credentials. */
let failed: string[];
beforeEach(() => {
  failed = [];
  harness = new DtlsHarness({
    settings: { psk: true, handshakeTimeout: 5_000 },
    guard: { isLocked: () => false, failed: (address) => failed.push(address) },
    lookup: (connection) => {
      if (connection.wantsKey) connection.offerKey({ ...KEY, credentials: { id: 'credentials', version: 1 } });
      return undefined;
    },
  });
});
afterEach(() => harness.stop());

let port = 40_000;
/** @param lost types of records that do not get through; they come back when it is emptied */
function lossy(lost = new Set<number>()): FakeSocket {
  const socket = harness.bind(port++);
  const send = socket.send.bind(socket);
  socket.send = (datagram, to) => {
    for (let start = 0; start < datagram.length; start = recordEnd(datagram, start)) {
      if (!lost.has(datagram[start] ?? 0)) send(datagram.subarray(start, recordEnd(datagram, start)), to);
    }
  };
  return socket;
}

async function client(psk: DtlsClientOptions['psk'], socket = lossy()): Promise<DtlsClient> {
  const client = harness.client(socket, { psk, suites: 'PSK-AES128-GCM-SHA256' }).start();
  await harness.pass();
  return client;
}

describe('A device with a pre-shared key', () => {
  it('opens a session, which is that of a device from the beginning', async () => {
    const device = await client(KEY);
    expect([device.state, harness.metric('sessions'), harness.metric('strangers')]).toEqual(['open', 1, 0]);
    expect(failed).toEqual([]);
  });

  it('gets nothing to resume its session by, which nobody may', async () => {
    expect((await client(KEY)).hasTicket).toBe(false);
    const other = await harness.open(harness.bind(port++));
    expect(other.hasTicket).toBe(true);
  });

  it('has shown no wrong one when what says that it encrypts is lost, and its handshake takes too long or begins anew', async () => {
    const lost = new Set([CHANGE_CIPHER_SPEC]);
    const first = await client(KEY, lossy(lost));
    await harness.fake.advance(6_000);
    expect([first.state, harness.metric('handshakes_total', { outcome: 'timed_out' })]).toEqual(['handshake', 1]);
    const socket = lossy(lost);
    (await client(KEY, socket)).free();
    lost.clear();
    expect((await client(KEY, socket)).state).toBe('open');
    expect([harness.metric('handshakes_total', { outcome: 'replaced' }), failed]).toEqual([1, []]);
  });

  it('has shown a wrong one as soon as it has, once, however its handshake ends', async () => {
    const guesser = await client(WRONG);
    expect([failed, harness.metric('running_handshakes')]).toEqual([['10.0.0.1'], 1]);
    expect(harness.log.map(({ level, message, fields }) => [level, message, fields?.reason])).toEqual([
      ['debug', 'DTLS handshake failed', 'the client has a wrong pre-shared key, or names an identity that nobody has'],
    ]);
    await harness.fake.advance(6_000);
    expect([harness.metric('handshake_failures_total', { reason: 'wrong_key' }), harness.log.length]).toEqual([1, 1]);
    expect([guesser.state === 'open', failed]).toEqual([false, ['10.0.0.1']]);
    const socket = lossy();
    (await client(WRONG, socket)).free();
    // Broken off for the next guess.
    await client(WRONG, socket);
    expect([harness.metric('handshakes_total', { outcome: 'replaced' }), failed]).toEqual([
      1,
      Array(3).fill('10.0.0.1'),
    ]);
  });
});
