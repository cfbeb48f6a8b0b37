import { createHash } from 'node:crypto';
import type { Pointer } from './openssl/library';
import { type DtlsClient, type DtlsClientOptions, forgetTicket, stolen } from './testing/dtls-client';
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
    expect(harness.metric('handshakes_total', { outcome: 'resumed' })).toBe(1);
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
    expect([client.resumed, foreign.metric('handshakes_total', { outcome: 'resumed' })]).toEqual([false, 0]);
    forgetTicket(ticket);
  });

  it('with the key before the present one, and gets a ticket with the present one', async () => {
    const harness = gateway();
    // Begins in the middle of a period, whose length is a day.
    const ticket = await ticketOf(harness);
    await harness.fake.advance(DAY);
    const renewed = await ticketOf(harness, ticket);
    expect(harness.metric('handshakes_total', { outcome: 'resumed' })).toBe(1);
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

describe('A ticket that somebody has read on the way', () => {
  const IDS = ['ab'.repeat(32)];
  const certificates = {
    acceptsCertificates: () => ({ ids: IDS, until: Number.POSITIVE_INFINITY }),
    stillAccepts: () => true,
  };
  const guarding = (settings = {}) => {
    const harness = new DtlsHarness({ settings, certificates });
    harnesses.push(harness);
    return harness;
  };
  const session = async (harness: DtlsHarness, options: Partial<DtlsClientOptions>) => {
    const client = await harness.open(harness.bind(nextPort++), options);
    client.send('in');
    await harness.pass();
    return { client, identity: harness.received.at(-1)?.session.identity };
  };

  it('makes nobody the device, where its client has no extended master secret and OpenSSL asks for a full handshake', async () => {
    const harness = guarding();
    const device = await session(harness, { identity: ONE, extendedMasterSecret: false });
    expect(device.identity?.certificateIds).toEqual(IDS);
    const thief = await session(harness, { resume: stolen(device.client.ticket()) });
    expect(thief.identity).toMatchObject({ resumed: false, certificateIds: [] });
    // Nor does the ticket that the thief is given, with which it resumes its own session.
    const again = await session(harness, { resume: thief.client.ticket() });
    expect(again.identity).toMatchObject({ resumed: true, certificateIds: [] });
  });

  it('makes nobody the device, once its time is over', async () => {
    const harness = guarding({ resumptionTime: 1 });
    const device = await session(harness, { identity: ONE });
    const ticket = stolen(device.client.ticket());
    // Of the operating system, which OpenSSL asks, and takes whole seconds of.
    await new Promise((resolve) => setTimeout(resolve, 2_050));
    const thief = await session(harness, { resume: ticket });
    expect(thief.identity).toMatchObject({ resumed: false, certificateIds: [] });
  });

  it('opens nothing while it is good: whoever shows it has to have the key of the session', async () => {
    const harness = guarding();
    const device = await session(harness, { identity: ONE });
    const thief = harness.client(harness.bind(nextPort++), { resume: stolen(device.client.ticket()) }).start();
    await harness.pass();
    expect(thief.state).not.toBe('open');
    expect([harness.metric('sessions'), harness.messages]).toEqual([1, ['in']]);
  });

  it('does not lend its device to whoever shows another certificate in the handshake', async () => {
    const harness = new DtlsHarness({
      certificates: {
        ...certificates,
        acceptsCertificates: ([own]) => ({
          ids: [
            createHash('sha256')
              .update(own ?? '')
              .digest('hex'),
          ],
          until: Number.POSITIVE_INFINITY,
        }),
      },
    });
    harnesses.push(harness);
    const device = await session(harness, { identity: ONE, extendedMasterSecret: false });
    const other = await session(harness, { identity: selfSigned('two'), resume: stolen(device.client.ticket()) });
    expect(other.identity?.resumed).toBe(false);
    expect(other.identity?.certificateIds).toHaveLength(1);
    expect(other.identity?.certificateIds).not.toEqual(device.identity?.certificateIds);
  });
});
