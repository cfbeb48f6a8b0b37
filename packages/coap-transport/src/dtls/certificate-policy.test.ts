import { type Identity, Pki } from '../../../../test/security/pki';
import { FakeClock } from '../endpoint/testing/fake-clock';
import { CertificatePolicy } from './certificate-policy';
import { HANDSHAKE_FAILURES } from './handshake-failure';
import type { DtlsClient } from './testing/dtls-client';
import { DtlsHarness, type DtlsHarnessOptions } from './testing/dtls-harness';
import { EC, filesOf, selfSigned } from './testing/identities';

let pki: Pki;
beforeAll(() => {
  pki = new Pki();
});
afterAll(() => pki.remove());

/** That of the certificates, whose periods are real. */
const now = Date.now() + 3_600_000;
const clock = { now: () => now };

let harness: DtlsHarness;
let port = 40_000;
const start = (options: DtlsHarnessOptions = {}, skipValidity = false) => {
  harness = new DtlsHarness({
    certificates: new CertificatePolicy(clock, skipValidity),
    settings: { skipValidity },
    ...options,
  });
};
afterEach(() => harness.stop());

type Shown = Pick<Identity, 'certificate' | 'key'>;
async function handshake(identity: Shown, suites?: string): Promise<DtlsClient> {
  const client = harness.client(harness.bind(port++), { identity, ...(suites && { suites }) }).start();
  await harness.pass();
  // An alert of a server comes after the client has all of its flight.
  await harness.pass();
  return client;
}
const outcome = async (identity: Shown, suites?: string): Promise<string> => {
  const { state, connection } = await handshake(identity, suites);
  return state === 'open' ? 'open' : connection.failure.replace(/.* alert /, '');
};

describe('Of clients that have no authority to come from', () => {
  it('any certificate that is valid and has a strong key is taken', async () => {
    start();
    for (const one of [pki.client, pki.rsaClient, pki.clientOfOther, pki.serverAuthClient]) {
      expect(await outcome(one)).toBe('open');
    }
  });

  it('one that has expired, is not valid yet or has a weak key is a bad certificate', async () => {
    start();
    const weak = [
      selfSigned('short RSA', ['-newkey', 'rsa:1024']),
      selfSigned('short EC', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp224r1']),
    ];
    for (const one of [pki.expiredClient, pki.futureClient, ...weak]) {
      expect(await outcome(one, 'DEFAULT:@SECLEVEL=0')).toMatch(/bad certificate/);
    }
  });

  it('is taken whenever it is or was valid where that is not looked at', async () => {
    start({}, true);
    expect([await outcome(pki.expiredClient), await outcome(pki.futureClient)]).toEqual(['open', 'open']);
  });
});

describe('Of clients that have to come from an authority', () => {
  const trusting = (skipValidity = false) => {
    const files = filesOf(selfSigned('server'));
    const clientTrust = { authorities: pki.root.certificate, revoked: pki.root.revocations() };
    void pki.revokedClient;
    start({ files: { ...files, clientTrust: { ...clientTrust, revoked: pki.root.revocations() } } }, skipValidity);
  };

  it('those of that authority are taken, and each other learns why not', async () => {
    trusting();
    expect([await outcome(pki.client), await outcome(pki.rsaClient)]).toEqual(['open', 'open']);
    expect(await outcome(pki.clientOfOther)).toMatch(/unknown ca/);
    expect(await outcome(pki.selfSignedClient)).toMatch(/unknown ca/);
    expect(await outcome(pki.expiredClient)).toMatch(/certificate expired/);
    expect(await outcome(pki.revokedClient)).toMatch(/certificate revoked/);
    expect(await outcome(pki.serverAuthClient)).toMatch(/unsupported certificate/);
  });

  it('one that has expired is taken where that is not looked at, one that was revoked never', async () => {
    trusting(true);
    expect(await outcome(pki.expiredClient)).toBe('open');
    expect(await outcome(pki.revokedClient)).toMatch(/certificate revoked/);
  });

  it('a session that was made before they had to is not resumed', async () => {
    const files = filesOf(selfSigned('server'));
    start({ files });
    const client = await handshake(pki.selfSignedClient);
    const resume = client.ticket();
    const resuming = async () => {
      const again = harness.client(harness.bind(port++), { identity: pki.selfSignedClient, resume }).start();
      await harness.pass();
      await harness.pass();
      return again.state === 'open' ? { resumed: again.resumed } : again.connection.failure;
    };
    expect(await resuming()).toEqual({ resumed: true });
    harness.reload({ ...files, clientTrust: { authorities: pki.root.certificate, revoked: undefined } });
    expect(await resuming()).toMatch(/unknown ca/);
  });
});

describe('When those are others whom certificates have to come from', () => {
  const files = filesOf(selfSigned('server'));
  const trust = () => ({ authorities: pki.root.certificate, revoked: undefined });
  const states = (clients: readonly DtlsClient[]) => clients.map(({ state }) => state);

  it('sessions by a certificate end, and come again if they still may; others go on, as with another certificate of the server', async () => {
    start({ files: { ...files, clientTrust: trust() } });
    const certified = await handshake(pki.client);
    const anonymous = harness.client(harness.bind(port++)).start();
    await harness.pass();
    harness.reload({ ...filesOf(selfSigned('another server')), clientTrust: trust() });
    await harness.pass();
    expect(states([certified, anonymous])).toEqual(['open', 'open']);
    void pki.revokedClient;
    harness.reload({ ...files, clientTrust: { ...trust(), revoked: pki.root.revocations() } });
    await harness.pass();
    expect(states([certified, anonymous])).toEqual(['closed', 'open']);
    expect(harness.metric('sessions_ended_total', { reason: 'revoked' })).toBe(1);
    expect([await outcome(pki.client), await outcome(pki.revokedClient)]).toEqual([
      'open',
      expect.stringMatching(/certificate revoked/),
    ]);
  });

  it('a handshake that began before opens no session by a certificate', async () => {
    start({ files });
    const client = harness.client(harness.bind(port++), { identity: pki.clientOfOther }).start();
    for (let n = 0; n < 20 && harness.metric('running_handshakes') === 0; n++) await harness.fake.advance(1);
    expect(harness.metric('running_handshakes')).toBe(1);
    harness.reload({ ...files, clientTrust: trust() });
    await harness.pass();
    expect([client.state, harness.metric('sessions')]).toEqual(['closed', 0]);
    expect(harness.received).toEqual([]);
  });

  it('many sessions end a few at a time', async () => {
    start({ files, settings: { maxSessions: 200 } });
    const clients: DtlsClient[] = [];
    for (let n = 0; n < 30; n++) clients.push(await handshake(pki.client));
    harness.reload({ ...files, clientTrust: trust() });
    expect(harness.metric('sessions')).toBe(5);
    await harness.pass();
    expect(new Set(states(clients))).toEqual(new Set(['closed']));
  });
});

describe('A session', () => {
  it('is not resumed once its certificate has expired', async () => {
    const moving = new FakeClock();
    const certificates = new CertificatePolicy({ now: () => now + moving.monotonic() }, false);
    start({ certificates });
    const resume = (await handshake(pki.client)).ticket();
    await moving.advance(366 * 86_400_000);
    const again = harness.client(harness.bind(port++), { identity: pki.client, resume }).start();
    await harness.pass();
    await harness.pass();
    expect(again.connection.failure).toMatch(/bad certificate/);
  });

  /** Of the time of day: a year of timers would take its time. */
  let later = 0;
  /** One that has a certificate, which expires soon after. */
  const certified = async (skipValidity = false) => {
    later = 0;
    const certificates = new CertificatePolicy({ now: () => now + later }, skipValidity);
    start({ certificates, settings: { inactivityCheck: 10_000 } });
    const client = await handshake(pki.client);
    client.send('in time');
    await harness.pass();
    harness.received.at(-1)?.session.known();
    later = 366 * 86_400_000;
    return client;
  };

  it('ends before the next request once its certificate has expired, and that is not served', async () => {
    const client = await certified();
    expect(client.state).toBe('open');
    client.send('too late');
    await harness.pass();
    expect([
      client.state,
      harness.metric('sessions_ended_total', { reason: 'expired' }),
      harness.metric('sessions'),
    ]).toEqual(['closed', 1, 0]);
    expect(harness.messages).toEqual(['in time']);
  });

  it('ends at the next look at sessions as well, whoever is silent', async () => {
    const client = await certified();
    await harness.fake.advance(10_100);
    expect([client.state, harness.metric('sessions_ended_total', { reason: 'expired' })]).toEqual(['closed', 1]);
  });

  it('goes on with a certificate that has expired where that is not looked at', async () => {
    const client = await certified(true);
    client.send('still in');
    await harness.fake.advance(10_100);
    expect([client.state, harness.messages]).toEqual(['open', ['in time', 'still in']]);
  });

  it('that was made while that was not looked at is not resumed when it is again', async () => {
    const secret = { ticketSecret: Buffer.alloc(32, 5) };
    start({ ...secret }, true);
    const resume = (await handshake(pki.expiredClient)).ticket();
    await harness.stop();
    start({ ...secret });
    const again = harness.client(harness.bind(port++), { identity: pki.expiredClient, resume }).start();
    await harness.pass();
    await harness.pass();
    expect(again.connection.failure).toMatch(/bad certificate/);
  });
});

describe('Handshakes that are refused', () => {
  it('count as wrong credentials of their address, but for what a device may have that was known once', async () => {
    const failed: string[] = [];
    let locked = false;
    const clientTrust = { authorities: pki.root.certificate, revoked: undefined };
    const guard = { isLocked: () => locked, failed: (address: string) => failed.push(address) };
    start({ guard, files: { ...filesOf(selfSigned('server')), clientTrust } });
    for (const one of [pki.client, pki.expiredClient, pki.futureClient]) await handshake(one);
    expect(failed).toEqual([]);
    await handshake(pki.clientOfOther);
    expect(failed).toEqual(['10.0.0.1']);
    locked = true;
    expect((await handshake(pki.client)).state).toBe('handshake');
    expect([harness.metric('dropped_total', { reason: 'locked' }), harness.metric('running_handshakes')]).toEqual([
      1, 0,
    ]);
  });

  it('do not count where no authority is asked and the certificate has expired, is not valid yet or has a weak key', async () => {
    const failed: string[] = [];
    start({ guard: { isLocked: () => false, failed: (address) => failed.push(address) } });
    const weak = selfSigned('short RSA', ['-newkey', 'rsa:1024']);
    for (const one of [pki.expiredClient, pki.futureClient]) await handshake(one);
    await handshake(weak, 'DEFAULT:@SECLEVEL=0');
    expect([failed, harness.metric('handshakes_total', { outcome: 'failed' })]).toEqual([[], 3]);
  });

  it('are told of in the log and by a counter each, with the reason', async () => {
    const clientTrust = { authorities: pki.root.certificate, revoked: undefined };
    void pki.revokedClient;
    const revoked = pki.root.revocations();
    start({ files: { ...filesOf(selfSigned('server')), clientTrust: { ...clientTrust, revoked } } });
    const others = [pki.expiredClient, pki.futureClient, pki.clientOfOther, pki.revokedClient, pki.serverAuthClient];
    for (const one of others) await handshake(one);
    const none = harness.client(harness.bind(port++), { suites: 'AES128-SHA' }).start();
    await harness.pass();
    expect(none.state).toBe('failed');
    const reasons = ['expired', 'not_yet_valid', 'unknown_authority', 'revoked', 'purpose', 'no_common_suite'] as const;
    expect(harness.log.map(({ fields }) => fields?.reason)).toEqual(
      reasons.map((reason) => HANDSHAKE_FAILURES[reason]),
    );
    expect(reasons.map((reason) => harness.metric('handshake_failures_total', { reason }))).toEqual(
      reasons.map(() => 1),
    );
  });

  it('end with an alert also where a certificate is longer than OpenSSL takes, and are told of as well', async () => {
    start();
    const long = selfSigned('long', [...EC, '-addext', `nsComment=${'x'.repeat(40_000)}`]);
    expect(await outcome(long)).toMatch(/bad certificate/);
    expect(harness.log.map(({ fields }) => fields?.reason)).toEqual([HANDSHAKE_FAILURES.message_too_long]);
    expect(harness.metric('running_handshakes')).toBe(0);
  });
});
