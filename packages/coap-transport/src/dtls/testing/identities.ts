import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsFiles } from '@tandem/core';
import type { ClientIdentity } from './dtls-client';

/** A new self-signed certificate with its key. @param key what it is of, in the words of openssl-req(1) */
export function selfSigned(name: string, key: readonly string[] = EC): ClientIdentity {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-dtls-'));
  const [keyFile, certificateFile] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  try {
    const subject = ['-nodes', '-days', '30', '-subj', `/CN=${name}`];
    execFileSync('openssl', ['req', '-x509', ...key, ...subject, '-keyout', keyFile, '-out', certificateFile], {
      stdio: 'ignore',
    });
    return { certificate: readFileSync(certificateFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
export const RSA = ['-newkey', 'rsa:2048'];

export const filesOf = ({ certificate, key }: ClientIdentity): TlsFiles => ({
  material: { certificates: certificate, key },
  clientTrust: undefined,
});
