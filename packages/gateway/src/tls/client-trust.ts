import { createSecureContext } from 'node:tls';
import type { ClientTrust } from '@tandem/core';
import type { NamedFile } from './named-file';
import { certificatesOf, pemBlocks, pemOf } from './pem';

const REVOKED = 'X509 CRL';

/**
 * Whom certificates of devices have to come from, and which of those are revoked.
 * @throws FileProblem
 */
export function clientTrust(store: NamedFile, lists: NamedFile | undefined): ClientTrust {
  const authorities = certificatesOf(store, pemBlocks(store));
  if (authorities.length === 0) throw store.problem('has no certificate in it: put those of the authorities there');
  const above = authorities.find((one) => !authorities.some((candidate) => one.checkIssued(candidate)));
  if (above) {
    throw store.problem(
      `has "${oneLine(above.subject)}" without the authority above it, "${oneLine(above.issuer)}": add that, up to the root`,
    );
  }
  return { authorities: pemOf(authorities), revoked: lists && revokedIn(lists) };
}

function revokedIn(file: NamedFile): string {
  const blocks = pemBlocks(file).filter(({ label }) => label === REVOKED);
  if (blocks.length === 0) throw file.problem('has no list of revoked certificates (X509 CRL) in it');
  for (const [index, { text }] of blocks.entries()) {
    try {
      createSecureContext({ crl: text });
    } catch (error) {
      throw file.problem(`cannot be used: list ${index + 1} of it is damaged; write the file again`, error);
    }
  }
  return blocks.map(({ text }) => text).join('');
}

const oneLine = (name: string): string => name.replaceAll('\n', ', ');
