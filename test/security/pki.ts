import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate and its key, as files, made by the `openssl` command. */
export class Identity {
  constructor(
    readonly name: string,
    /** PEM: this certificate alone. */
    readonly certificateFile: string,
    /** PEM of PKCS#8, not encrypted. */
    readonly keyFile: string,
    /** PEM: this certificate, then those above it without the root, as a server or a client presents them. */
    readonly chainFile: string,
  ) {}

  get certificate(): string {
    return readFileSync(this.certificateFile, 'utf8');
  }

  get key(): string {
    return readFileSync(this.keyFile, 'utf8');
  }

  get chain(): string {
    return readFileSync(this.chainFile, 'utf8');
  }

  get der(): Buffer {
    return new X509Certificate(this.certificate).raw;
  }
}

type Extensions = 'server' | 'client' | 'authority';

interface Wishes {
  readonly key?: 'ec' | 'rsa';
  readonly extensions?: Extensions;
  /** Both or none, as `YYYYMMDDHHMMSSZ`. */
  readonly period?: readonly [from: string, until: string];
}

const LAST_YEAR = ['20250101000000Z', '20250201000000Z'] as const;
const LATER = ['20900101000000Z', '20910101000000Z'] as const;

const EXTENSIONS = `
[server]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
subjectKeyIdentifier = hash
[client]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
`;

/** One that issues certificates, and revokes them. */
export class Authority extends Identity {
  readonly #config: string;

  constructor(
    private readonly folder: string,
    own: Identity,
  ) {
    super(own.name, own.certificateFile, own.keyFile, own.chainFile);
    const base = join(folder, `${this.name}.ca`);
    mkdirSync(base);
    writeFileSync(join(base, 'index.txt'), '');
    writeFileSync(join(base, 'crlnumber'), '01\n');
    this.#config = join(base, 'config');
    writeFileSync(
      this.#config,
      `[ca]
default_ca = this
[this]
database = ${base}/index.txt
crlnumber = ${base}/crlnumber
new_certs_dir = ${base}
certificate = ${own.certificateFile}
private_key = ${own.keyFile}
rand_serial = yes
unique_subject = no
default_md = sha256
default_days = 365
default_crl_days = 30
policy = any
[any]
commonName = supplied
${EXTENSIONS}`,
    );
  }

  issue(name: string, { key = 'ec', extensions = 'client', period }: Wishes = {}): Identity {
    const [file, request] = [join(this.folder, `${name}.pem`), join(this.folder, `${name}.csr`)];
    const keyFile = join(this.folder, `${name}.key`);
    openssl('req', '-new', ...newKey(key, keyFile), '-subj', `/CN=${name}`, '-out', request);
    const dates = period ? ['-startdate', period[0], '-enddate', period[1]] : [];
    this.#ca('-in', request, '-out', file, '-notext', '-extensions', extensions, ...dates);
    const chainFile = join(this.folder, `${name}.chain.pem`);
    const above = this.chain === this.certificate && isSelfSigned(this.certificate) ? '' : this.chain;
    writeFileSync(chainFile, readFileSync(file, 'utf8') + above);
    return new Identity(name, file, keyFile, chainFile);
  }

  authority(name: string): Authority {
    return new Authority(this.folder, this.issue(name, { extensions: 'authority' }));
  }

  revoke({ certificateFile }: Identity): void {
    this.#ca('-revoke', certificateFile);
  }

  /** @returns PEM of what it has revoked until now */
  revocations(): string {
    return this.#ca('-gencrl');
  }

  #ca(...args: string[]): string {
    return openssl('ca', '-batch', '-config', this.#config, ...args);
  }
}

/**
 * Authorities and certificates for one file of tests, each made when it is asked for and once:
 * `root` -> `intermediate`, and `otherRoot`, which nobody trusts.
 */
export class Pki {
  readonly #made = new Map<string, Identity>();

  constructor(readonly folder = mkdtempSync(join(tmpdir(), 'tandem-pki-'))) {}

  get root(): Authority {
    return this.#once('root', (name) => this.#root(name));
  }

  get intermediate(): Authority {
    return this.#once('intermediate', (name) => this.root.authority(name));
  }

  get otherRoot(): Authority {
    return this.#once('other-root', (name) => this.#root(name));
  }

  /** For `localhost`, `127.0.0.1` and `::1`. */
  get server(): Identity {
    return this.#once('server', (name) => this.root.issue(name, { extensions: 'server' }));
  }

  get rsaServer(): Identity {
    return this.#once('rsa-server', (name) => this.root.issue(name, { extensions: 'server', key: 'rsa' }));
  }

  get serverOfIntermediate(): Identity {
    return this.#once('chained-server', (name) => this.intermediate.issue(name, { extensions: 'server' }));
  }

  get client(): Identity {
    return this.#once('client', (name) => this.root.issue(name));
  }

  get rsaClient(): Identity {
    return this.#once('rsa-client', (name) => this.root.issue(name, { key: 'rsa' }));
  }

  get clientOfIntermediate(): Identity {
    return this.#once('chained-client', (name) => this.intermediate.issue(name));
  }

  get clientOfOther(): Identity {
    return this.#once('foreign-client', (name) => this.otherRoot.issue(name));
  }

  get selfSignedClient(): Identity {
    return this.selfSigned('self-signed-client');
  }

  get expiredClient(): Identity {
    return this.#once('expired-client', (name) => this.root.issue(name, { period: LAST_YEAR }));
  }

  /** As `expiredClient`, another one. */
  expired(name: string): Identity {
    return this.#once(name, () => this.root.issue(name, { period: LAST_YEAR }));
  }

  get futureClient(): Identity {
    return this.#once('future-client', (name) => this.root.issue(name, { period: LATER }));
  }

  get expiredServer(): Identity {
    return this.#once('expired-server', (name) => this.root.issue(name, { extensions: 'server', period: LAST_YEAR }));
  }

  /** Issued for servers alone. */
  get serverAuthClient(): Identity {
    return this.#once('server-auth-client', (name) => this.root.issue(name, { extensions: 'server' }));
  }

  /** Revoked by `root`. */
  get revokedClient(): Identity {
    return this.#once('revoked-client', (name) => {
      const identity = this.root.issue(name);
      this.root.revoke(identity);
      return identity;
    });
  }

  /** PEM file with the lists of `root`, which has `revokedClient` on it, and of `intermediate`. */
  get revocationFile(): string {
    void this.revokedClient;
    return this.write('revoked.pem', this.root.revocations() + this.intermediate.revocations());
  }

  /** @param subject where it is to have the name of another */
  selfSigned(name: string, subject = name): Identity {
    return this.#once(name, () => this.#selfSigned(name, 'client', subject));
  }

  /** What the holder of any key can make: a certificate that names its own as the issuer, whether that may issue or not. */
  issuedBy(issuer: Identity, name: string): Identity {
    return this.#once(name, () => {
      const [file, keyFile] = [join(this.folder, `${name}.pem`), join(this.folder, `${name}.key`)];
      const request = join(this.folder, `${name}.csr`);
      // Without the identifiers of keys, by which a false issuer would be told from the true one before any signature is.
      const bare = 'subjectKeyIdentifier = none\nauthorityKeyIdentifier = none\nbasicConstraints = CA:false\n';
      const extensions = this.write(`${name}.cnf`, bare);
      openssl('req', '-new', ...newKey('ec', keyFile), '-subj', `/CN=${name}`, '-out', request);
      const by = ['-CA', issuer.certificateFile, '-CAkey', issuer.keyFile, '-CAcreateserial', '-days', '365'];
      openssl('x509', '-req', '-in', request, ...by, '-extfile', extensions, '-out', file);
      return new Identity(name, file, keyFile, file);
    });
  }

  /** @returns the path */
  write(name: string, content: string | Buffer): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #root(name: string): Authority {
    return new Authority(this.folder, this.#selfSigned(name, 'authority'));
  }

  #selfSigned(name: string, extensions: Extensions, subject = name): Identity {
    const [file, keyFile] = [join(this.folder, `${name}.pem`), join(this.folder, `${name}.key`)];
    const config = this.write('self-signed.cnf', `[req]\ndistinguished_name = name\n[name]\n${EXTENSIONS}`);
    const what = ['-subj', `/CN=${subject}`, '-days', '365', '-config', config, '-extensions', extensions];
    openssl('req', '-x509', ...newKey('ec', keyFile), ...what, '-out', file);
    return new Identity(name, file, keyFile, file);
  }

  #once<I extends Identity>(name: string, make: (name: string) => I): I {
    const made = (this.#made.get(name) as I | undefined) ?? make(name);
    this.#made.set(name, made);
    return made;
  }
}

function newKey(kind: 'ec' | 'rsa', file: string): string[] {
  const kinds = { ec: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], rsa: ['rsa:2048'] };
  return ['-newkey', ...kinds[kind], '-noenc', '-keyout', file];
}

const isSelfSigned = (pem: string): boolean => {
  const certificate = new X509Certificate(pem);
  return certificate.checkIssued(certificate);
};

/** @returns what it prints */
export function openssl(...args: string[]): string {
  return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
