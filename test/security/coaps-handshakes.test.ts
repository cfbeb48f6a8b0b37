import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { text } from '../interop/interop-gateway';
import { endTools, run, Tool } from '../interop/tool';
import { DtlsDevice } from '../support/dtls-device';
import { eventually } from '../support/eventually';
import { freeUdpPort } from '../support/free-port';
import { cleanUp } from '../support/gateway-process';
import { CLIENTS, coapArguments, optionsOf, post, type Shown } from './coaps-clients';
import { CoapsGateway } from './coaps-gateway';
import { Pki } from './pki';

/** Handshakes that led to a session. */
const OPENED = { outcome: ['opened', 'resumed'] };

const pki = new Pki();
const PSK = { identity: 'pump-7', key: 'a key of 22 characters' };
/** Takes every certificate, and stored ones for their devices. */
let open: CoapsGateway;
/** Of an RSA certificate; takes those of `root` that are not revoked. */
let strict: CoapsGateway;
/** Of `open`. */
let thermostat: string;

beforeAll(async () => {
  [open, strict] = await Promise.all([
    CoapsGateway.start(pki.serverOfIntermediate, { TANDEM_COAP_DTLS_PSK: 'true' }),
    CoapsGateway.start(pki.rsaServer, {
      TANDEM_X509_TRUST_STORE: pki.root.certificateFile,
      TANDEM_X509_CRL: pki.revocationFile,
    }),
  ]);
  thermostat = await open.deviceOf('thermostat', pki.client);
  await open.deviceOf('of RSA', pki.rsaClient);
  await open.deviceOf('of the intermediate', pki.clientOfIntermediate);
  await open.deviceOf('self-signed', pki.selfSignedClient);
  await open.deviceOf('expired', pki.expiredClient);
  await open.deviceWithKey('pump', PSK.identity, PSK.key);
  await open.server.createDevice('inside');
  await strict.deviceOf('thermostat', pki.client);
  await strict.deviceOf('of the intermediate', pki.clientOfIntermediate);
  await strict.deviceOf('of another authority', pki.clientOfOther);
  await strict.deviceOf('revoked', pki.revokedClient);
  await strict.deviceOf('expired', pki.expiredClient);
  await strict.deviceOf('for servers', pki.serverAuthClient);
  await strict.server.createDevice('inside');
});
afterEach(endTools);
afterAll(async () => {
  await cleanUp();
  pki.remove();
});

const TELEMETRY = 'api/v1/telemetry';
const WITH_TOKEN = 'api/v1/inside/telemetry';

describe.each(CLIENTS)('%s', (client) => {
  const outcome = (gateway: CoapsGateway, shown: Shown, path = TELEMETRY) =>
    post(client, { port: gateway.port, path, shown });

  it('with a certificate that is stored for a device needs no token', async () => {
    expect(await outcome(open, { identity: pki.client })).toBe('2.01');
    expect(await outcome(open, { identity: pki.rsaClient })).toBe('2.01');
    expect(await outcome(open, { identity: pki.selfSignedClient })).toBe('2.01');
    expect(await outcome(open, { identity: pki.clientOfIntermediate, above: pki.intermediate })).toBe('2.01');
  });

  it('with an unknown certificate, or none, has a session and needs a token', async () => {
    for (const shown of [{ identity: pki.clientOfOther }, {}]) {
      expect(await outcome(open, shown)).toBe('4.01');
      expect(await outcome(open, shown, WITH_TOKEN)).toBe('2.01');
    }
    expect(await outcome(open, {}, 'api/v1/no-such-token/telemetry')).toBe('4.01');
  });

  it('with an expired certificate, or one that is not valid yet, is refused with bad_certificate', async () => {
    expect(await outcome(open, { identity: pki.expiredClient })).toBe('alert 42');
    expect(await outcome(open, { identity: pki.futureClient })).toBe('alert 42');
  });

  it('with a pre-shared key needs neither certificate nor token', async () => {
    expect(await outcome(open, { psk: PSK })).toBe('2.01');
  });

  it('gets into a gateway with an RSA certificate and a trust store with what comes from there', async () => {
    expect(await outcome(strict, { identity: pki.client })).toBe('2.01');
    expect(await outcome(strict, {}, WITH_TOKEN)).toBe('2.01');
  });

  it('is refused there with what does not: 48 unknown, 44 revoked, 45 expired, 43 for another purpose', async () => {
    expect(await outcome(strict, { identity: pki.clientOfOther })).toBe('alert 48');
    expect(await outcome(strict, { identity: pki.selfSignedClient })).toBe('alert 48');
    expect(await outcome(strict, { identity: pki.revokedClient })).toBe('alert 44');
    expect(await outcome(strict, { identity: pki.expiredClient })).toBe('alert 45');
    expect(await outcome(strict, { identity: pki.serverAuthClient })).toBe('alert 43');
  });
});

describe.each(['coap-client-openssl', 'coap-client-gnutls'] as const)('%s with a certificate', (client) => {
  const coap = (path: string, ...more: string[]) => [
    ...['-B', '10', ...coapArguments({ identity: pki.client }), '-R', pki.root.certificateFile],
    ...[...more, `coaps://127.0.0.1:${open.port}/api/v1/${path}`],
  ];
  const ask = (path: string, ...more: string[]) => run(client, ...coap(path, ...more));

  it('posts telemetry, reads attributes, and is notified of a new one', async () => {
    expect(await ask('telemetry', '-m', 'post', '-e', `{"${client}":7}`)).toBe('');
    await eventually(async () =>
      (await open.stored(thermostat, client))[0] === '7' ? undefined : 'nothing is stored',
    );
    await open.server.share(thermostat, { wanted: 20 });
    expect(await ask('attributes?sharedKeys=wanted')).toBe('{"shared":{"wanted":20}}');
    const observer = new Tool(client, ...coap('attributes', '-s', '60'));
    await observer.shows('{"wanted":20}');
    await open.server.share(thermostat, { wanted: 21 });
    await observer.shows('{"wanted":21}');
    observer.signal('SIGINT');
    await observer.exited;
    await open.server.unshare(thermostat, ['wanted']);
  });

  it('sends and gets in blocks what is too long for one datagram', async () => {
    const long = text(5_000);
    const file = pki.write(`${client}.json`, JSON.stringify({ [client]: long }));
    expect(await ask('attributes', '-b', '256', '-m', 'post', '-f', file)).toBe('');
    expect(await ask(`attributes?clientKeys=${client}`, '-b', '256')).toBe(
      JSON.stringify({ client: { [client]: long } }),
    );
  });
});

describe('A client whose chain has the certificate of the device further up', () => {
  it('stands for that device', async () => {
    const known = await open.deviceOf('the intermediate', pki.intermediate);
    const identity = pki.intermediate.issue('leaf of a known intermediate');
    expect(
      await post('s_client', {
        port: open.port,
        path: TELEMETRY,
        shown: { identity, above: pki.intermediate },
        payload: '{"up":1}',
      }),
    ).toBe('2.01');
    await eventually(async () => ((await open.stored(known, 'up'))[0] === '1' ? undefined : 'nothing is stored'));
  });
});

describe('A DTLS session', () => {
  const connect = (shown: Shown, ...more: string[]) => new DtlsDevice(open.port, { ...optionsOf(shown), more });

  it.each([
    ['AES-128-CCM-8, which RFC 7252 asks for', 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0'],
    ['AES-128-GCM', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
    ['ChaCha20', 'ECDHE-ECDSA-CHACHA20-POLY1305'],
  ])('runs on %s', async (_, cipher) => {
    const device = connect({ identity: pki.client }, '-cipher', cipher);
    expect(await device.post(TELEMETRY)).toBe('ACK 2.01');
    device.kill();
  });

  it('runs on a pre-shared key with AES-128-CCM-8', async () => {
    const { psk } = optionsOf({ psk: PSK });
    const more = [
      '-psk_identity',
      psk?.identity ?? '',
      '-psk',
      psk?.key ?? '',
      '-cipher',
      'PSK-AES128-CCM8:@SECLEVEL=0',
    ];
    const device = new DtlsDevice(open.port, { more });
    expect(await device.post(TELEMETRY)).toBe('ACK 2.01');
    device.kill();
  });

  it('is not opened with a wrong key, or the identity of nobody: not a word, as RFC 4279 has it', async () => {
    const before = await open.process.metric('tandem_dtls_handshakes_total', OPENED);
    const underWay = await open.process.metric('tandem_dtls_running_handshakes');
    const liars = [
      { ...PSK, key: 'another one, as long..' },
      { ...PSK, identity: 'nobody' },
    ].map((psk) => connect({ psk }));
    await open.process.settled('tandem_dtls_running_handshakes', underWay + 2);
    expect(await post('s_client', { port: open.port, path: TELEMETRY, shown: { psk: PSK } })).toBe('2.01');
    expect(await open.process.metric('tandem_dtls_handshakes_total', OPENED)).toBe(before + 1);
    for (const liar of liars) expect(liar.over).toBe(false);
    for (const liar of liars) liar.kill();
  });

  it.each(['256', '400', '600'])('is opened by a client that sends at most %s bytes at once', async (mtu) => {
    const device = connect({ identity: pki.clientOfIntermediate, above: pki.intermediate }, '-mtu', mtu);
    expect(await device.post(TELEMETRY)).toBe('ACK 2.01');
    device.kill();
  });

  it('is resumed from another port as the same device', async () => {
    const session = join(pki.folder, 'session');
    const first = connect({ identity: pki.client }, '-sess_out', session);
    expect(await first.post(TELEMETRY, '{"resumed":0}')).toBe('ACK 2.01');
    await first.close();
    expect(existsSync(session)).toBe(true);
    const second = connect({ identity: pki.client }, '-sess_in', session);
    expect(await second.post(TELEMETRY, '{"resumed":1}')).toBe('ACK 2.01');
    await second.close();
    await eventually(async () =>
      (await open.stored(thermostat, 'resumed')).length === 2 ? undefined : 'not both are stored',
    );
    expect(await open.process.metric('tandem_dtls_handshakes_total', { outcome: 'resumed' })).toBeGreaterThan(0);
  });

  it('gives way to another device at the same address and port, once that has proved itself', async () => {
    const identity = pki.selfSigned('at-the-same-port');
    const other = await open.deviceOf('at the same port', identity);
    const bind = ['-bind', `127.0.0.1:${await freeUdpPort()}`];
    const first = connect({ identity: pki.client }, ...bind);
    expect(await first.post(TELEMETRY, '{"port":"first"}')).toBe('ACK 2.01');
    first.kill();
    await first.ended;
    const second = connect({ identity }, ...bind);
    expect(await second.post(TELEMETRY, '{"port":"second"}')).toBe('ACK 2.01');
    second.kill();
    await eventually(async () =>
      (await open.stored(other, 'port'))[0] === 'second' ? undefined : 'nothing is stored',
    );
    expect(await open.stored(thermostat, 'port')).toEqual(['first']);
  });
});
