import type { KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { KeyMaterial } from '@tandem/core';
import type { NamedFile } from './named-file';
import { pemOf } from './pem';

export interface ReadMaterial {
  readonly material: KeyMaterial;
  /** The server's own certificate. */
  readonly own: X509Certificate;
}

/**
 * @param certificates at least one
 * @throws FileProblem when the first of them is not that of the key, or OpenSSL would not serve with them
 */
export function checkedMaterial(
  certificates: readonly X509Certificate[],
  key: KeyObject,
  files: { readonly certificates: NamedFile; readonly key: NamedFile },
): ReadMaterial {
  const [own] = certificates;
  if (!own?.checkPrivateKey(key)) {
    const place = certificates.findIndex((certificate) => certificate.checkPrivateKey(key));
    throw files.certificates.problem(
      place > 0
        ? `has the certificate of the server at place ${place + 1}: put it first`
        : `is not the certificate of the key in ${files.key.path} (${files.key.setting}): give the two that belong together`,
    );
  }
  const material = {
    certificates: pemOf(certificates),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
  try {
    createSecureContext({ cert: material.certificates, key: material.key });
  } catch (error) {
    throw files.certificates.problem(`cannot be served with: ${reasonOf(error)}; make a stronger key`, error);
  }
  return { material, own };
}

/** Of OpenSSL's `error:0A00018F:SSL routines::ee key too small` what follows the last colon. */
const reasonOf = (error: unknown): string => String((error as Error).message.split(':').at(-1)).trim();
