import { X509Certificate } from 'node:crypto';
import type { NamedFile } from './named-file';

/** What stands between a pair of armour lines, and the lines. */
export interface PemBlock {
  /** `CERTIFICATE`, `PRIVATE KEY` and so on. */
  readonly label: string;
  readonly text: string;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;
const BEGIN = /-----BEGIN /g;
const CERTIFICATE = /^(?:X509 |TRUSTED )?CERTIFICATE$/;

/** @throws FileProblem when there is none, or one has no end: such a file is being written */
export function pemBlocks(file: NamedFile): readonly PemBlock[] {
  const { text } = file;
  const blocks = [...text.matchAll(BLOCK)].map(([block, label = '']) => ({ label, text: `${block}\n` }));
  if ((text.match(BEGIN)?.length ?? 0) !== blocks.length) {
    throw file.problem('ends within a PEM block, or has one within another: write the whole file again');
  }
  if (blocks.length === 0) throw file.problem(`is not PEM: ${whatItIs(file.bytes)}`);
  return blocks;
}

/** @throws FileProblem when one of them is none. @returns the certificates, in the order of the file */
export function certificatesOf(file: NamedFile, blocks: readonly PemBlock[]): readonly X509Certificate[] {
  return blocks
    .filter(({ label }) => CERTIFICATE.test(label))
    .map(({ text }, index) => {
      try {
        return new X509Certificate(text);
      } catch (error) {
        throw file.problem(`cannot be used: certificate ${index + 1} of it is damaged; write the file again`, error);
      }
    });
}

/** PEM with one line break at the end of each, whatever stood around them. */
export const pemOf = (certificates: readonly X509Certificate[]): string => certificates.map(String).join('');

function whatItIs(bytes: Buffer): string {
  const der = 'convert it by openssl x509 -inform DER, or if it is a key store set the credentials type to KEYSTORE';
  return bytes[0] === 0x30 ? der : 'there is no -----BEGIN line in it';
}
