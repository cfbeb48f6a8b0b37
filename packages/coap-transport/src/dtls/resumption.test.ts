import type { Pointer } from './openssl/library';
import { type DtlsClient, forgetTicket } from './testing/dtls-client';
import { DtlsHarness, nameOf } from './testing/dtls-harness';
import { selfSigned } from './testing/identities';

const SECRET = Buffer.alloc(32, 9);
const ONE = selfSigned('one');
let nextPort = 30_000;
const DAY = 86_400_000;

const harnesses: DtlsHarness[] = [];
const gateway = (ticketSecret = SECRET, settings = {}) => {
  const harness = new DtlsHarness({ ticketSecret, settings });
  harnesses.push(harness);
  return harness;
};
afterEach(async () => {
  for (const harness of harnesses.splice(0)) await harness.stop();
});

/** What a client with the certificate of `one` can resume its session with. */
async function ticketOf(harness: DtlsHarness, resume?: Pointer): Promise<Pointer> {
  const client = await harness.open(harness.bind(nextPort++), { identity: ONE, resume });
  client.send('first');
  await harness.pass();
  const ticket = client.ticket();
  client.close();
  await harness.pass();
  return ticket;
}

const resumeAt = (harness: DtlsHarness, ticket: Pointer, port = 40_001): Promise<DtlsClient> =>
  harness.open(harness.bind(port), { identity: ONE, resume: ticket });

describe('A session is resumed', () => {
  it('from another port, and is still that of the device with its certificate', async () => {
    const harness = gateway();
    const ticket = await ticketOf(harness);
    const client = await resumeAt(harness, ticket);
    client.send('again');
    await harness.pass();
    expect(client.resumed).toBe(true);
    expect(
      harness.received.map(({ message, session }) => [message, nameOf(session), session.identity.resumed]),
    ).toEqual([
      ['first', 'CN=one', false],
      ['again', 'CN=one', true],
    ]);
    expect(harness.metric('handshakes_resumed_total')).toBe(1);
    forgetTicket(ticket);
  });

  it('on another process of the same store, and after a restart', async () => {
    const ticket = await ticketOf(gateway());
    const another = gateway();
    expect((await resumeAt(another, ticket)).resumed).toBe(true);
    forgetTicket(ticket);
  });

  it('not with a ticket of another store: the handshake is a full one', async () => {
    const ticket = await ticketOf(gateway());
    const foreign = gateway(Buffer.alloc(32, 8));
    const client = await resumeAt(foreign, ticket);
    expect([client.resumed, foreign.metric('handshakes_resumed_total')]).toEqual([false, 0]);
    forgetTicket(ticket);
  });

  it('with the key before the present one, and gets a ticket with the present one', async () => {
    const harness = gateway();
    // Begins in the middle of a period, whose length is a day.
    const ticket = await ticketOf(harness);
    await harness.fake.advance(DAY);
    const renewed = await ticketOf(harness, ticket);
    expect(harness.metric('handshakes_resumed_total')).toBe(1);
    await harness.fake.advance(DAY);
    const client = await resumeAt(harness, ticket);
    const other = await resumeAt(harness, renewed, 40_002);
    // OpenSSL looks at the age of the session by the time of the operating system, which has stood still.
    expect([client.resumed, other.resumed]).toEqual([false, true]);
    forgetTicket(ticket);
    forgetTicket(renewed);
  });

  it('never where that is switched off', async () => {
    const harness = gateway(SECRET, { resumptionTime: 0 });
    const ticket = await ticketOf(harness);
    expect((await resumeAt(harness, ticket)).resumed).toBe(false);
    forgetTicket(ticket);
  });
});
