import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MetricsRegistry, readSettings, type Settings, silentLogger, systemRandom } from '@tandem/core';
import { FakeClock } from '@tandem/core/testing';
import { openssl } from '../../../../test/security/pki';
import { withMadeUpCertificate } from './made-up-certificate';
import { selfSignedCertificate } from './self-signed';
import { openTlsFiles } from './tls-files';

let folder: string;
let warnings: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-certificate-'));
  warnings = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

const clock = new FakeClock(Date.now());
const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
const settings = (more: Partial<Settings> = {}): Settings => ({
  ...readSettings({}),
  TANDEM_COAP_DTLS_SELF_SIGNED: true,
  COAP_DTLS_PEM_CERT: join(folder, 'not-there.pem'),
  TANDEM_DATA_DIR: join(folder, 'data'),
  ...more,
});
const made = (given: Settings) => withMadeUpCertificate(given, { clock, random: systemRandom, logger });

describe('A certificate that is made up', () => {
  it('is one that openssl takes, for the names of this machine, and that the door serves with', async () => {
    const result = made(settings());
    const file = result.COAP_DTLS_PEM_CERT;
    expect(file).toBe(join(folder, 'data', 'coaps-self-signed.pem'));
    expect(
      openssl('verify', '-x509_strict', '-check_ss_sig', '-CAfile', file, '-verify_hostname', 'localhost', file),
    ).toMatch(/OK/);
    expect(openssl('verify', '-CAfile', file, '-verify_ip', '::1', file)).toMatch(/OK/);
    const { validTo, subject } = new X509Certificate(readFileSync(file));
    expect(subject).toBe('CN=tandem');
    expect(Date.parse(validTo) - clock.now()).toBeGreaterThan(9 * 365 * 86_400_000);
    const files = await openTlsFiles(result, 'coaps', { clock, logger, metrics: new MetricsRegistry() });
    expect(files.current.material.key).toContain('PRIVATE KEY');
    await files.close();
    expect(warnings).toEqual([expect.stringContaining('nobody vouches for it')]);
  });

  it('is for its owner alone, stays once it is there, and leaves no draft', () => {
    const file = made(settings()).COAP_DTLS_PEM_CERT;
    const first = readFileSync(file, 'utf8');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(made(settings()).COAP_DTLS_PEM_CERT, 'utf8')).toBe(first);
    expect(readdirSync(join(folder, 'data'))).toEqual(['coaps-self-signed.pem']);
  });

  it('is none where a certificate is named that is there, or nobody asked for it', () => {
    const own = join(folder, 'own.pem');
    writeFileSync(own, '');
    for (const more of [
      { COAP_DTLS_PEM_CERT: own },
      { TANDEM_COAP_DTLS_SELF_SIGNED: false },
      { COAP_DTLS_CREDENTIALS_TYPE: 'KEYSTORE' as const },
    ]) {
      const given = settings(more);
      expect(made(given)).toBe(given);
    }
    expect(existsSync(join(folder, 'data'))).toBe(false);
    expect(warnings).toEqual([]);
  });

  it('that cannot be written says in one line which settings help', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(() => made(settings({ TANDEM_DATA_DIR: file }))).toThrow(/TANDEM_DATA_DIR/);
  });

  it('may end after 2049, and have a serial number of any bytes', () => {
    const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const rest = { ...keys, name: 'x', hosts: [], addresses: [], from: 0 };
    const until = Date.UTC(2060, 4, 6);
    for (const [bytes, shown] of [
      ['00ff', 'FF'],
      ['0001', '01'],
      ['ffff', 'FFFF'],
    ] as const) {
      const certificate = new X509Certificate(
        selfSignedCertificate({ ...rest, until, serial: Buffer.from(bytes, 'hex') }),
      );
      expect(certificate.serialNumber).toBe(shown);
      expect(Date.parse(certificate.validTo)).toBe(until);
      expect(certificate.verify(keys.publicKey)).toBe(true);
    }
  });
});
