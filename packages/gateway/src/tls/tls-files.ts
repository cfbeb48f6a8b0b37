import { createHash, type X509Certificate } from 'node:crypto';
import {
  type Core,
  type EpochMillis,
  revocationLists,
  type Settings,
  type Timer,
  type TlsFiles,
  tellAll,
  type Watched,
} from '@tandem/core';
import { clientTrust } from './client-trust';
import { MATERIAL_SETTINGS, type TextSetting, type TlsDoor } from './door-settings';
import { mustServeDtls, slowRsaBits } from './dtls-key';
import { keyStoreMaterial } from './key-store-material';
import { FileProblem, NamedFile } from './named-file';
import { pemMaterial } from './pem-material';
import { holdsUntil } from './revocation-period';

type Platform = Pick<Core, 'clock' | 'logger' | 'metrics'>;

/** All files of a door, as they were at one moment. */
interface Found {
  file(setting: TextSetting): NamedFile;
  /** The same for the same content. */
  readonly digest: string;
}

interface Loaded {
  readonly files: TlsFiles;
  /** The server's own certificate. */
  readonly own: X509Certificate;
  /** When the first of the lists of revoked certificates is past its time. */
  readonly listsUntil: EpochMillis;
}

/**
 * What a door proves itself with, and whom it believes, out of the files that its settings name. Files that changed are
 * read again; as long as what they hold cannot be used, or is only half written, what was there before stays.
 * @throws Error in one line that names the setting and the file, and says what to do
 */
export async function openTlsFiles(
  settings: Settings,
  door: TlsDoor,
  platform: Platform,
): Promise<Watched<TlsFiles> & { close(): Promise<void> }> {
  const found = await find(settings, door);
  return new WatchedTlsFiles(settings, door, platform, found.digest, await load(settings, door, found));
}

class WatchedTlsFiles implements Watched<TlsFiles> {
  readonly #listeners = new Set<(current: TlsFiles) => void>();
  #timer: Timer | undefined;
  #looking: Promise<void> | undefined;
  #closed = false;
  #expiryTold = false;
  #listsTold = false;

  constructor(
    private readonly settings: Settings,
    private readonly door: TlsDoor,
    private readonly platform: Platform,
    /** Of what was looked at last, usable or not. */
    private digest: string,
    private loaded: Loaded,
  ) {
    this.platform.metrics.gauge(
      'tandem_certificate_expiry_timestamp_seconds',
      () => Date.parse(this.loaded.own.validTo) / 1_000,
      { door },
    );
    this.#tell('certificate loaded');
    if (settings.TB_TRANSPORT_SSL_CERTIFICATE_RELOAD_ENABLED) this.#wait();
  }

  get current(): TlsFiles {
    return this.loaded.files;
  }

  onChange(listener: (current: TlsFiles) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** @returns when a look that is under way has come to its end; nothing of it counts any more, and nobody has to wait for it */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#listeners.clear();
    await this.#looking;
  }

  #wait(): void {
    const seconds = this.settings.TB_TRANSPORT_SSL_CERTIFICATE_RELOAD_CHECK_INTERVAL;
    this.#timer = this.platform.clock.setTimer(seconds * 1_000, () => {
      this.#looking = this.#look();
    });
  }

  async #look(): Promise<void> {
    const { door, platform, settings } = this;
    try {
      const found = await find(settings, door);
      if (found.digest !== this.digest) {
        this.digest = found.digest;
        const loaded = await load(settings, door, found);
        if (this.#closed) return;
        const replaced = whatDiffers(this.loaded.files, loaded.files);
        this.loaded = loaded;
        this.#expiryTold = false;
        this.#listsTold = false;
        if (replaced.certificate) this.#tell('certificate replaced');
        for (const what of replaced.trust) platform.logger.info(`${what} replaced`, { door });
        tellAll(this.#listeners, loaded.files, platform.logger);
      }
      this.#warn();
    } catch (error) {
      platform.logger.warn('changed certificate files cannot be used: what was read before stays', {
        door,
        reason: (error as Error).message,
      });
    }
    if (!this.#closed) this.#wait();
  }

  #tell(message: string): void {
    const { subject, validTo } = this.loaded.own;
    this.platform.logger.info(message, { door: this.door, subject: oneLine(subject), expires: isoTime(validTo) });
    this.#warnOfCost();
    this.#warn();
  }

  #warn(): void {
    this.#warnOfExpiry();
    this.#warnOfLists();
  }

  /** Of a door where strangers begin handshakes as they like, in the thread that serves everybody. */
  #warnOfCost(): void {
    const bits = this.door === 'coaps' ? slowRsaBits(this.loaded.own) : undefined;
    if (bits === undefined) return;
    this.platform.logger.warn(
      'each handshake costs milliseconds with an RSA key this long, also of strangers, and everything waits for it: use EC P-256',
      { door: this.door, bits },
    );
  }

  /** Devices that check it refuse it, others go on: to serve is better than not to start. */
  #warnOfExpiry(): void {
    const { subject, validFrom, validTo } = this.loaded.own;
    const now = this.platform.clock.now();
    const valid = Date.parse(validFrom) <= now && now <= Date.parse(validTo);
    if (valid || this.#expiryTold) return;
    this.#expiryTold = true;
    this.platform.logger.warn('the certificate of the server is not valid now: clients that check it refuse it', {
      door: this.door,
      subject: oneLine(subject),
      from: isoTime(validFrom),
      until: isoTime(validTo),
    });
  }

  /** Then OpenSSL takes no certificate of that authority, and nobody sees why. */
  #warnOfLists(): void {
    const { listsUntil } = this.loaded;
    if (this.#listsTold || this.platform.clock.now() <= listsUntil) return;
    this.#listsTold = true;
    this.platform.logger.warn('a list in TANDEM_X509_CRL is past its time: certificates of its authority are refused', {
      door: this.door,
      since: new Date(listsUntil).toISOString(),
    });
  }
}

async function find(settings: Settings, door: TlsDoor): Promise<Found> {
  const { type, certificate, key, keyStore } = MATERIAL_SETTINGS[door];
  const named: TextSetting[] = settings[type] === 'PEM' ? [certificate, key] : [keyStore];
  for (const name of ['TANDEM_X509_TRUST_STORE', 'TANDEM_X509_CRL'] as const) if (settings[name]) named.push(name);
  const files = await Promise.all(named.map((setting) => NamedFile.read(setting, settings[setting] ?? '')));
  const hash = createHash('sha256');
  for (const { seen } of files) hash.update(createHash('sha256').update(seen).digest());
  return {
    file(setting) {
      const file = files.find((candidate) => candidate.setting === setting);
      if (!file) throw new Error(`${setting} names no file`);
      return file;
    },
    digest: hash.digest('base64'),
  };
}

async function load(settings: Settings, door: TlsDoor, found: Found): Promise<Loaded> {
  const names = MATERIAL_SETTINGS[door];
  const { material, own } =
    settings[names.type] === 'PEM'
      ? pemMaterial({
          certificate: found.file(names.certificate),
          key: found.file(names.key),
          password: settings[names.keyPassword] ?? '',
          passwordSetting: names.keyPassword,
        })
      : await keyStoreMaterial({
          store: found.file(names.keyStore),
          password: settings[names.keyStorePassword] ?? '',
          passwordSetting: names.keyStorePassword,
          alias: settings[names.keyAlias] ?? '',
          aliasSetting: names.keyAlias,
        });
  if (door === 'coaps')
    mustServeDtls(own, found.file(settings[names.type] === 'PEM' ? names.certificate : names.keyStore));
  const { TANDEM_X509_TRUST_STORE: store, TANDEM_X509_CRL: lists } = settings;
  if (lists !== undefined && store === undefined) {
    throw new FileProblem(
      `TANDEM_X509_CRL: ${lists} says what authorities have revoked: name them in TANDEM_X509_TRUST_STORE as well`,
    );
  }
  const trust =
    store === undefined
      ? undefined
      : clientTrust(
          found.file('TANDEM_X509_TRUST_STORE'),
          lists === undefined ? undefined : found.file('TANDEM_X509_CRL'),
        );
  const ends = revocationLists(trust?.revoked ?? '').map((list) => holdsUntil(list) ?? Number.POSITIVE_INFINITY);
  return { files: { material, clientTrust: trust }, own, listsUntil: Math.min(...ends) };
}

const oneLine = (subject: string): string => subject.replaceAll('\n', ', ');
const isoTime = (text: string): string => new Date(text).toISOString();

/** What a line of the log is worth; at least one. */
function whatDiffers(before: TlsFiles, now: TlsFiles) {
  const trust: string[] = [];
  if (before.clientTrust?.authorities !== now.clientTrust?.authorities) trust.push('trust store');
  if (before.clientTrust?.revoked !== now.clientTrust?.revoked) trust.push('lists of revoked certificates');
  const { certificates, key } = now.material;
  const same = before.material.certificates === certificates && before.material.key === key;
  return { certificate: !same || trust.length === 0, trust };
}
