import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { existsSync, linkSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Core, Millis, Settings } from '@tandem/core';
import { makeDataFolder } from '../store/open-store';
import { selfSignedCertificate } from './self-signed';

const NAME = 'coaps-self-signed.pem';
/** 127.0.0.1 and ::1. */
const LOOPBACK = [Buffer.from('7f000001', 'hex'), Buffer.from(`${'0'.repeat(31)}1`, 'hex')];
const LIFE: Millis = 10 * 365 * 86_400_000;
/** A clock that is a little behind may use it, too. */
const BEFORE: Millis = 86_400_000;

/** Where the certificate is, or is to be, that is made up; undefined where nobody asked for one, or there is another. */
export function madeUpFile(settings: Settings): string | undefined {
  const { TANDEM_COAP_DTLS_SELF_SIGNED, COAP_DTLS_CREDENTIALS_TYPE, COAP_DTLS_PEM_CERT, TANDEM_DATA_DIR } = settings;
  const asked = TANDEM_COAP_DTLS_SELF_SIGNED && COAP_DTLS_CREDENTIALS_TYPE === 'PEM';
  return asked && !existsSync(COAP_DTLS_PEM_CERT) ? join(TANDEM_DATA_DIR, NAME) : undefined;
}

/**
 * The settings with a certificate of CoAP over DTLS that was made up, where that was asked for and none is there. Once made it stays:
 * devices may have been told to believe it.
 * @throws Error in one line that names the setting
 */
export function withMadeUpCertificate(
  settings: Settings,
  { clock, random, logger }: Pick<Core, 'clock' | 'random' | 'logger'>,
): Settings {
  const file = madeUpFile(settings);
  if (file === undefined) return settings;
  if (!existsSync(file)) {
    makeDataFolder(settings.TANDEM_DATA_DIR);
    keep(file, `${file}.${random.uuid()}`, makeUp(clock.now(), random.bytes(16)));
  }
  logger.warn('the certificate of CoAP over DTLS is made up, nobody vouches for it: name one that devices can check', {
    file,
    setting: 'COAP_DTLS_PEM_CERT',
  });
  return { ...settings, COAP_DTLS_PEM_CERT: file };
}

function makeUp(now: number, serial: Buffer): string {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const host = hostname();
  const der = selfSignedCertificate({
    publicKey,
    privateKey,
    name: 'tandem',
    hosts: [...new Set(['localhost', ...(/^[\w.-]+$/.test(host) ? [host] : [])])],
    addresses: LOOPBACK,
    from: now - BEFORE,
    until: now + LIFE,
    serial,
  });
  return `${new X509Certificate(der)}${privateKey.export({ type: 'pkcs8', format: 'pem' })}`;
}

/** Whole or not at all, and of processes that start at once the first one's. */
function keep(file: string, draft: string, text: string): void {
  try {
    writeFileSync(draft, text, { mode: 0o600, flag: 'wx', flush: true });
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw new Error(
      `A certificate cannot be made up: ${(error as Error).message} (TANDEM_DATA_DIR, or COAP_DTLS_PEM_CERT)`,
    );
  } finally {
    rmSync(draft, { force: true });
  }
}
