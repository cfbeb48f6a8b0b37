import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { BadOption } from '../options';
import type { ClientFiles } from './dtls-client';

/** A self-signed certificate on the curve P-256, and its key. Throws BadOption without the `openssl` command. */
export function makeCertificate(folder: string, name: string): ClientFiles {
  const files = { certificate: path.join(folder, `${name}.pem`), key: path.join(folder, `${name}.key`) };
  const wishes = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-days', '30'];
  const made = spawnSync('openssl', [
    'req',
    ...wishes,
    ...['-subj', `/CN=${name}`, '-keyout', files.key, '-out', files.certificate],
  ]);
  if (made.status !== 0) throw new BadOption(`the openssl command makes no certificate: ${made.stderr ?? made.error}`);
  return files;
}
