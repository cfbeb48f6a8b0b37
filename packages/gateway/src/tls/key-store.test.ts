import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MetricsRegistry, readSettings, type Settings, silentLogger, systemClock, type TlsFiles } from '@tandem/core';
import { type Identity, openssl, Pki } from '../../../../test/security/pki';
import { openTlsFiles } from './tls-files';

const PASSWORD = 'open-sesame';
let pki: Pki;
beforeAll(() => {
  pki = new Pki();
});
afterAll(() => pki.remove());

async function open(changed: Partial<Settings>): Promise<TlsFiles> {
  const settings = { ...readSettings({}), SSL_CREDENTIALS_TYPE: 'KEYSTORE' as const, ...changed };
  const platform = { clock: systemClock, logger: silentLogger, metrics: new MetricsRegistry() };
  const files = await openTlsFiles(settings, 'https', platform);
  await files.close();
  return files.current;
}

const at = (SSL_KEY_STORE: string, more: Partial<Settings> = {}) =>
  open({ SSL_KEY_STORE, SSL_KEY_STORE_PASSWORD: PASSWORD, ...more });

async function refusal(path: string, more: Partial<Settings> = {}): Promise<string> {
  const { message } = await at(path, more).then(
    () => new Error('it was opened'),
    (error: Error) => error,
  );
  expect(message).not.toContain(PASSWORD);
  expect(message).not.toContain('\n');
  return message.replaceAll(`${pki.folder}/`, '');
}

const certificates = ({ material }: TlsFiles) => material.certificates.split(/(?=-----BEGIN)/);
const subjects = (files: TlsFiles) => certificates(files).map((pem) => new X509Certificate(pem).subject);

function exported(name: string, { chainFile, keyFile }: Identity, ...options: string[]): string {
  const path = join(pki.folder, name);
  openssl(
    'pkcs12',
    '-export',
    '-in',
    chainFile,
    '-inkey',
    keyFile,
    '-passout',
    `pass:${PASSWORD}`,
    '-out',
    path,
    ...options,
  );
  return path;
}

describe('A PKCS#12 key store', () => {
  it.each([
    ['EC', 'serverOfIntermediate', []],
    ['EC, encrypted as before', 'serverOfIntermediate', ['-legacy']],
    ['EC, with the root', 'serverOfIntermediate', ['-certfile', 'root']],
    ['RSA', 'rsaServer', []],
    ['RSA, encrypted as before', 'rsaServer', ['-legacy']],
  ] as const)('gives the key and the very certificates that were put into it: %s', async (_, of, options) => {
    const identity = pki[of];
    const given = options.map((option) => (option === 'root' ? pki.root.certificateFile : option));
    const files = await at(exported('server.p12', identity, ...given));
    expect(files.material.key).toBe(identity.key);
    const added = given.length > 1 ? pki.root.certificate : '';
    expect(files.material.certificates).toBe(identity.chain + added);
  });

  it('may lack what leads to the authority', async () => {
    const { certificateFile, keyFile } = pki.serverOfIntermediate;
    const path = exported('alone.p12', { chainFile: certificateFile, keyFile } as Identity);
    expect(subjects(await at(path))).toEqual(['CN=chained-server']);
  });

  it('stops the start, with a line that says what to do, when it is of no use', async () => {
    const path = exported('good.p12', pki.server);
    expect(await refusal(path, { SSL_KEY_STORE_PASSWORD: 'wrong' })).toBe(
      'SSL_KEY_STORE: good.p12 is not opened by SSL_KEY_STORE_PASSWORD, or a key in it has another password than the store',
    );
    expect(await refusal('nowhere.p12')).toBe('SSL_KEY_STORE: nowhere.p12 is not there: set where the file is');
    expect(await refusal(pki.write('garbage.p12', 'garbage'))).toBe(
      'SSL_KEY_STORE: garbage.p12 is not a PKCS#12 key store that can be read. Try PEM: openssl pkcs12 -in garbage.p12 -out server.pem',
    );
    expect(await refusal(pki.server.certificateFile)).toMatch(/server.pem is PEM and no key store/);
    expect(await refusal(exported('no-key.p12', pki.server, '-nokeys'))).toMatch(/no-key.p12 has no private key in it/);
    const stranger = { chainFile: pki.root.certificateFile, keyFile: pki.root.keyFile } as Identity;
    expect(await refusal(exported('no-certificate.p12', stranger, '-nocerts'))).toMatch(
      /has no certificate for its key/,
    );
    const torn = pki.write('torn.p12', execFileSync('head', ['-c', '500', path]));
    expect(await refusal(torn)).toMatch(/torn.p12 is not a PKCS#12 key store that can be read/);
  });
});

const java = (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, 'keytool')));
(java ? describe : describe.skip)('A key store of Java', () => {
  const passwords = ['-srcstorepass', PASSWORD, '-deststorepass', PASSWORD, '-noprompt'];
  const keytool = (...args: string[]) =>
    execFileSync('keytool', [...args, ...passwords], { cwd: pki.folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const store = () => join(pki.folder, 'java.p12');

  it('that is a JKS stops the start with the command that converts it, and then serves whatever the alias', async () => {
    const first = exported('first.p12', pki.serverOfIntermediate, '-name', 'first');
    keytool('-importkeystore', '-srckeystore', first, '-destkeystore', 'java.jks', '-deststoretype', 'JKS');
    const said = await refusal(join(pki.folder, 'java.jks'));
    const [, command = ''] = /Convert it by: keytool (.*) and set SSL_KEY_STORE=java.p12$/.exec(said) ?? [];
    expect(command).toBe(
      '-importkeystore -srckeystore java.jks -srcstoretype JKS -destkeystore java.p12 -deststoretype PKCS12',
    );
    keytool(...command.split(' '));
    const { chain, key } = pki.serverOfIntermediate;
    expect((await at(store())).material).toEqual({ certificates: chain, key });
  });

  it('that holds several keys gives the one that the alias names, in letters of any size', async () => {
    const second = exported('second.p12', pki.rsaServer, '-name', 'second');
    keytool('-importkeystore', '-srckeystore', second, '-destkeystore', store(), '-deststoretype', 'PKCS12');
    expect(subjects(await at(store(), { SSL_KEY_ALIAS: 'First' }))).toEqual(['CN=chained-server', 'CN=intermediate']);
    expect(subjects(await at(store(), { SSL_KEY_ALIAS: 'second' }))).toEqual(['CN=rsa-server']);
    expect(await refusal(store())).toBe(
      'SSL_KEY_STORE: java.p12 holds several keys, "first", "second", and SSL_KEY_ALIAS "tomcat" names none or several of them',
    );
  });
});
