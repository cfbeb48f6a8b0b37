import type { X509Certificate } from 'node:crypto';
import type { NamedFile } from './named-file';

/** Those whose signatures are offered there, see `dtls/openssl/context.ts`. */
const SERVED: ReadonlySet<string | undefined> = new Set(['ec', 'rsa']);
/** Bits of RSA up to which a signature costs no more than the rest of a handshake. */
const QUICK_RSA = 3_072;

/** @throws FileProblem when no client could make a handshake with the key of this certificate */
export function mustServeDtls({ publicKey }: X509Certificate, file: NamedFile): void {
  const type = publicKey.asymmetricKeyType;
  if (SERVED.has(type)) return;
  throw file.problem(
    `has a certificate with a key of the type ${type}, which DTLS is not served with: make one on EC P-256`,
  );
}

/** The bits of its key, where each signature costs many milliseconds of the event loop. */
export function slowRsaBits({ publicKey }: X509Certificate): number | undefined {
  const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
  return bits > QUICK_RSA ? bits : undefined;
}
