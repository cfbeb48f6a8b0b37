import { createPrivateKey, X509Certificate } from 'node:crypto';
import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type LogFields,
  MetricsRegistry,
  readSettings,
  type Settings,
  silentLogger,
  type TlsFiles,
} from '@tandem/core';
import { FakeClock } from '@tandem/core/testing';
import { openssl, Pki } from '../../../../test/security/pki';
import type { TlsDoor } from './door-settings';
import { openTlsFiles } from './tls-files';

const PASSWORD = 'open-sesame';
let pki: Pki;
let opened: { close(): void }[];
let log: { level: string; message: string; fields: LogFields | undefined }[];
let clock: FakeClock;
let metrics: MetricsRegistry;

beforeAll(() => {
  pki = new Pki();
});
afterAll(() => pki.remove());
beforeEach(() => {
  opened = [];
  log = [];
  clock = new FakeClock(Date.now());
  metrics = new MetricsRegistry();
});
afterEach(() => {
  for (const files of opened) files.close();
  expect(JSON.stringify(log)).not.toContain(PASSWORD);
});

const write =
  (level: string) =>
  (message: string, fields?: LogFields): void =>
    void log.push({ level, message, fields });
const logger = { ...silentLogger, info: write('info'), warn: write('warn'), error: write('error') };

async function open(changed: Partial<Settings>, door: TlsDoor = 'https') {
  const files = await openTlsFiles({ ...readSettings({}), ...changed }, door, { clock, logger, metrics });
  opened.push(files);
  return files;
}

const subjects = ({ material }: TlsFiles) =>
  material.certificates.split(/(?=-----BEGIN)/).map((pem) => new X509Certificate(pem).subject.replace('CN=', ''));

/** What stops the start. */
async function refusal(changed: Partial<Settings>, door: TlsDoor = 'https'): Promise<string> {
  const { message } = await open(changed, door).then(
    () => new Error('it was opened'),
    (error: Error) => error,
  );
  expect(message).not.toContain(PASSWORD);
  expect(message).not.toContain('\n');
  return message.replaceAll(`${pki.folder}/`, '');
}

describe('PEM files', () => {
  it('give the chain, its own certificate first, and the key of each door', async () => {
    const { chainFile, keyFile, key } = pki.serverOfIntermediate;
    const https = await open({ SSL_PEM_CERT: chainFile, SSL_PEM_KEY: keyFile });
    expect(subjects(https.current)).toEqual(['chained-server', 'intermediate']);
    expect(https.current.material.key).toBe(key);
    expect(https.current.clientTrust).toBeUndefined();
    const coaps = await open({ COAP_DTLS_PEM_CERT: chainFile, COAP_DTLS_PEM_KEY: keyFile }, 'coaps');
    expect(coaps.current).toEqual(https.current);
  });

  it('may hold the key with the certificates, and other text around them', async () => {
    const { chain, key } = pki.server;
    const file = pki.write('both.pem', `subject=CN = server\n${key}\r\n\n${chain.replaceAll('\n', '\r\n')}trailing`);
    const { current } = await open({ SSL_PEM_CERT: file, SSL_PEM_KEY: 'nowhere.pem' });
    expect(subjects(current)).toEqual(['server']);
    expect(current.material.key).toBe(key);
  });

  it.each([
    ['EC, PKCS#8', 'server', ['pkcs8', '-topk8', '-v2', 'aes-256-cbc']],
    ['EC, the form of before', 'server', ['ec', '-aes256']],
    ['RSA, PKCS#8', 'rsaServer', ['pkcs8', '-topk8', '-v2', 'aes-128-cbc']],
    ['RSA, the form of before', 'rsaServer', ['rsa', '-aes256', '-traditional']],
  ] as const)('open an encrypted key with its password: %s', async (_, of, command) => {
    const { certificateFile, keyFile, key } = pki[of];
    const encrypted = join(pki.folder, 'encrypted.key');
    openssl(...command, '-in', keyFile, '-out', encrypted, '-passout', `pass:${PASSWORD}`);
    const settings = { SSL_PEM_CERT: certificateFile, SSL_PEM_KEY: encrypted, SSL_PEM_KEY_PASSWORD: PASSWORD };
    expect((await open(settings)).current.material.key).toBe(key);
    expect(await refusal({ ...settings, SSL_PEM_KEY_PASSWORD: 'wrong' })).toBe(
      'SSL_PEM_KEY: encrypted.key holds an encrypted key that SSL_PEM_KEY_PASSWORD does not open',
    );
  });

  it('open a key of the form of before that is not encrypted', async () => {
    const key = join(pki.folder, 'traditional.key');
    openssl('ec', '-in', pki.server.keyFile, '-out', key);
    const { current } = await open({ SSL_PEM_CERT: pki.server.certificateFile, SSL_PEM_KEY: key });
    expect(createPrivateKey(current.material.key).asymmetricKeyType).toBe('ec');
  });

  it('stop the start, with a line that says what to do, when they cannot be served with', async () => {
    const { certificateFile, keyFile, certificate, key } = pki.server;
    const torn = pki.write('torn.pem', certificate.slice(0, -60));
    const weak = pki.write('weak.key', openssl('genrsa', '-traditional', '512'));
    const weakCertificate = join(pki.folder, 'weak.pem');
    openssl('req', '-x509', '-key', weak, '-subj', '/CN=weak', '-out', weakCertificate);
    const of = (SSL_PEM_CERT: string, SSL_PEM_KEY = keyFile) => refusal({ SSL_PEM_CERT, SSL_PEM_KEY });
    expect(await refusal({})).toBe('SSL_PEM_CERT: server.pem is not there: set where the file is');
    expect(await refusal({}, 'coaps')).toMatch(/^COAP_DTLS_PEM_CERT: coapserver.pem is not there/);
    expect(await of(certificateFile, 'nowhere.pem')).toBe(
      'SSL_PEM_KEY: nowhere.pem cannot be read, and there is no key in server.pem (SSL_PEM_CERT) either',
    );
    expect(await of(pki.folder)).toMatch(/^SSL_PEM_CERT: .* is not a file: name the file itself$/);
    expect(await of(pki.write('empty.pem', ''))).toBe('SSL_PEM_CERT: empty.pem is empty');
    expect(await of(pki.write('garbage.pem', 'garbage'))).toMatch(/garbage.pem is not PEM: there is no -----BEGIN/);
    expect(await of(pki.write('der.pem', pki.server.der))).toMatch(/der.pem is not PEM: convert it by openssl x509/);
    expect(await of(torn)).toMatch(/torn.pem ends within a PEM block/);
    expect(await of(pki.write('bad.pem', certificate.replace(/\n.{64}\n/, '\n')))).toMatch(
      /certificate 1 .* is damaged/,
    );
    expect(await of(keyFile)).toMatch(/has no certificate in it/);
    expect(await of(certificateFile, certificateFile)).toMatch(/^SSL_PEM_KEY: server.pem has no private key in it/);
    expect(await of(certificateFile, pki.write('bad.key', key.replace(/\n.{64}\n/, '\n')))).toMatch(
      /key that is damaged/,
    );
    expect(await of(certificateFile, pki.client.keyFile)).toBe(
      'SSL_PEM_CERT: server.pem is not the certificate of the key in client.key (SSL_PEM_KEY): give the two that belong together',
    );
    expect(await of(pki.write('order.pem', pki.intermediate.certificate + certificate))).toBe(
      'SSL_PEM_CERT: order.pem has the certificate of the server at place 2: put it first',
    );
    expect(await of(weakCertificate, weak)).toBe(
      'SSL_PEM_CERT: weak.pem cannot be served with: ee key too small; make a stronger key',
    );
  });

  it('that have expired are served, and a line of the log and a metric say so', async () => {
    const { certificateFile, keyFile } = pki.expiredServer;
    await open({ SSL_PEM_CERT: certificateFile, SSL_PEM_KEY: keyFile });
    expect(log.filter(({ level }) => level === 'warn')).toEqual([
      expect.objectContaining({ fields: expect.objectContaining({ subject: 'CN=expired-server' }) }),
    ]);
    expect(metrics.value('tandem_certificate_expiry_timestamp_seconds', { door: 'https' })).toBe(
      Date.UTC(2025, 1, 1) / 1_000,
    );
  });
});

describe('The key of the server', () => {
  const selfSigned = (name: string, ...algorithm: string[]): { certificate: string; key: string } => {
    const [certificate, key] = [join(pki.folder, `${name}.pem`), join(pki.folder, `${name}.key`)];
    openssl(
      'req',
      '-x509',
      '-noenc',
      '-newkey',
      ...algorithm,
      '-subj',
      `/CN=${name}`,
      '-keyout',
      key,
      '-out',
      certificate,
    );
    return { certificate, key };
  };
  const warnings = () =>
    log.filter(({ message }) => message.includes('RSA')).map(({ message, fields }) => ({ message, ...fields }));

  it('of long RSA is warned of where strangers make it sign, and nowhere else', async () => {
    const { certificate, key } = selfSigned('long', 'rsa:3200');
    await open({ SSL_PEM_CERT: certificate, SSL_PEM_KEY: key });
    await open(
      { COAP_DTLS_PEM_CERT: pki.rsaServer.certificateFile, COAP_DTLS_PEM_KEY: pki.rsaServer.keyFile },
      'coaps',
    );
    expect(warnings()).toEqual([]);
    metrics = new MetricsRegistry();
    await open({ COAP_DTLS_PEM_CERT: certificate, COAP_DTLS_PEM_KEY: key }, 'coaps');
    expect(warnings()).toEqual([{ message: expect.stringContaining('use EC P-256'), door: 'coaps', bits: 3_200 }]);
  });

  it('stops the start of DTLS where it is of a type that no client can make a handshake with', async () => {
    const { certificate, key } = selfSigned('edwards', 'ed25519');
    const { current } = await open({ SSL_PEM_CERT: certificate, SSL_PEM_KEY: key });
    expect(subjects(current)).toEqual(['edwards']);
    expect(await refusal({ COAP_DTLS_PEM_CERT: certificate, COAP_DTLS_PEM_KEY: key }, 'coaps')).toBe(
      'COAP_DTLS_PEM_CERT: edwards.pem has a certificate with a key of the type ed25519, which DTLS is not served with: make one on EC P-256',
    );
  });
});

describe('A trust store', () => {
  const at = (TANDEM_X509_TRUST_STORE: string | undefined, TANDEM_X509_CRL?: string): Partial<Settings> => ({
    SSL_PEM_CERT: pki.server.certificateFile,
    SSL_PEM_KEY: pki.server.keyFile,
    TANDEM_X509_TRUST_STORE,
    TANDEM_X509_CRL,
  });

  it('is read with its lists of revoked certificates', async () => {
    const authorities = pki.write('trusted.pem', pki.root.certificate + pki.intermediate.certificate);
    const { current } = await open(at(authorities, pki.revocationFile));
    expect(current.clientTrust?.authorities.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(current.clientTrust?.revoked?.match(/BEGIN X509 CRL/g)).toHaveLength(2);
    metrics = new MetricsRegistry();
    expect((await open(at(authorities))).current.clientTrust?.revoked).toBeUndefined();
  });

  it('stops the start when it cannot be used', async () => {
    const root = pki.root.certificateFile;
    const list = pki.root.revocations();
    expect(await refusal(at('nowhere.pem'))).toMatch(/^TANDEM_X509_TRUST_STORE: nowhere.pem is not there/);
    expect(await refusal(at(pki.server.keyFile))).toMatch(/^TANDEM_X509_TRUST_STORE: server.key has no certificate/);
    expect(await refusal(at(pki.intermediate.certificateFile))).toBe(
      'TANDEM_X509_TRUST_STORE: intermediate.pem has "CN=intermediate" without the authority above it, "CN=root": add that, up to the root',
    );
    expect(await refusal(at(undefined, root))).toMatch(/^TANDEM_X509_CRL: root.pem .*TANDEM_X509_TRUST_STORE as well$/);
    expect(await refusal(at(root, root))).toMatch(/^TANDEM_X509_CRL: root.pem has no list of revoked certificates/);
    const damaged = pki.write('damaged.crl', list + list.replace(/\n.{64}\n/, '\n'));
    expect(await refusal(at(root, damaged))).toMatch(/^TANDEM_X509_CRL: damaged.crl .*list 2 of it is damaged/);
  });
});

describe('Files that change', () => {
  let served: { certificate: string; key: string };
  let settings: Partial<Settings>;
  beforeEach(() => {
    served = { certificate: join(pki.folder, 'served.pem'), key: join(pki.folder, 'served.key') };
    put(pki.server.certificateFile, pki.server.keyFile);
    settings = { SSL_PEM_CERT: served.certificate, SSL_PEM_KEY: served.key };
  });
  const put = (certificate: string, key: string) => {
    copyFileSync(certificate, served.certificate);
    copyFileSync(key, served.key);
  };
  /** Until the look is over: then the next one is due. */
  const look = async () => {
    clock.advance(60_000);
    while (clock.timers === 0) await new Promise(setImmediate);
  };
  const warnings = () => log.filter(({ level }) => level === 'warn').map(({ fields }) => String(fields?.reason));

  it('are served once they have been looked at, and listeners hear it', async () => {
    const files = await open(settings);
    const heard: TlsFiles[] = [];
    const stop = files.onChange((current) => heard.push(current));
    await look();
    expect(heard).toEqual([]);
    put(pki.rsaServer.certificateFile, pki.rsaServer.keyFile);
    expect(subjects(files.current)).toEqual(['server']);
    await look();
    expect(subjects(files.current)).toEqual(['rsa-server']);
    expect(heard).toEqual([files.current]);
    stop();
    put(pki.server.certificateFile, pki.server.keyFile);
    await look();
    expect(heard).toHaveLength(1);
    expect(log.map(({ message }) => message)).toEqual([
      'certificate loaded',
      'certificate replaced',
      'certificate replaced',
    ]);
  });

  it('leave the old ones serving while they are half written or do not belong together, and say so once', async () => {
    const files = await open(settings);
    const before = files.current;
    copyFileSync(pki.rsaServer.certificateFile, served.certificate);
    await look();
    await look();
    expect(warnings()).toEqual([expect.stringContaining('served.pem is not the certificate of the key')]);
    writeFileSync(served.key, pki.rsaServer.key.slice(0, 100));
    await look();
    await look();
    rmSync(served.key);
    await look();
    expect(warnings()).toHaveLength(3);
    expect(files.current).toBe(before);
    copyFileSync(pki.rsaServer.keyFile, served.key);
    await look();
    expect(subjects(files.current)).toEqual(['rsa-server']);
    expect(warnings()).toHaveLength(3);
  });

  it('are not looked at where that is switched off, nor after the end', async () => {
    await open({ ...settings, TB_TRANSPORT_SSL_CERTIFICATE_RELOAD_ENABLED: false });
    expect(clock.timers).toBe(0);
    metrics = new MetricsRegistry();
    const files = await open(settings);
    put(pki.rsaServer.certificateFile, pki.rsaServer.keyFile);
    clock.advance(60_000);
    await files.close();
    expect(subjects(files.current)).toEqual(['server']);
    expect(clock.timers).toBe(0);
  });

  it('are lists of revoked certificates as well', async () => {
    const list = pki.write('list.pem', pki.root.revocations());
    const files = await open({ ...settings, TANDEM_X509_TRUST_STORE: pki.root.certificateFile, TANDEM_X509_CRL: list });
    const before = files.current.clientTrust?.revoked;
    pki.root.revoke(pki.root.issue('revoked-later'));
    pki.write('list.pem', pki.root.revocations());
    await look();
    expect(files.current.clientTrust?.revoked).not.toBe(before);
    expect(log.at(-1)?.message).toBe('lists of revoked certificates replaced');
    expect(log.map(({ message }) => message)).not.toContain('certificate replaced');
  });

  it('say that a list of revoked certificates is past its time when it is', async () => {
    const list = pki.write('short.pem', pki.root.revocations());
    await open({ ...settings, TANDEM_X509_TRUST_STORE: pki.root.certificateFile, TANDEM_X509_CRL: list });
    await look();
    const days = async (count: number) => {
      clock.advance(count * 86_400_000);
      while (clock.timers === 0) await new Promise(setImmediate);
    };
    await days(29);
    await look();
    expect(log.filter(({ level }) => level === 'warn')).toEqual([]);
    await days(2);
    await look();
    expect(log.filter(({ level }) => level === 'warn')).toEqual([
      expect.objectContaining({ message: expect.stringContaining('TANDEM_X509_CRL is past its time') }),
    ]);
  });

  it('say that a certificate has expired when it does', async () => {
    await open(settings);
    clock.advance(366 * 86_400_000 - 60_000);
    while (clock.timers === 0) await new Promise(setImmediate);
    await look();
    expect(log.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });
});
