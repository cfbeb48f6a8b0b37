import { createPrivateKey, type KeyObject } from 'node:crypto';
import { checkedMaterial, type ReadMaterial } from './checked-material';
import type { TextSetting } from './door-settings';
import type { NamedFile } from './named-file';
import { certificatesOf, type PemBlock, pemBlocks } from './pem';

interface PemFiles {
  readonly certificate: NamedFile;
  readonly key: NamedFile;
  readonly password: string;
  readonly passwordSetting: TextSetting;
}

const KEY = /^(?:RSA |EC |ENCRYPTED )?PRIVATE KEY$/;

/**
 * Certificates, the server's own first, and its key: in a file of its own, or with the certificates, where it is looked for first.
 * @throws FileProblem
 */
export function pemMaterial({ certificate, key, password, passwordSetting }: PemFiles): ReadMaterial {
  const blocks = pemBlocks(certificate);
  const certificates = certificatesOf(certificate, blocks);
  if (certificates.length === 0) throw certificate.problem('has no certificate in it: put that of the server first');
  const within = blocks.find(isKey);
  const found = within ? { file: certificate, block: within } : { file: key, block: keyIn(key, certificate) };
  return checkedMaterial(certificates, keyOf(found.file, found.block, password, passwordSetting), {
    certificates: certificate,
    key: found.file,
  });
}

const isKey = ({ label }: PemBlock): boolean => KEY.test(label);

function keyIn(file: NamedFile, certificate: NamedFile): PemBlock {
  if (!file.isThere) {
    throw file.problem(`cannot be read, and there is no key in ${certificate.path} (${certificate.setting}) either`);
  }
  const block = pemBlocks(file).find(isKey);
  if (block) return block;
  throw file.problem('has no private key in it: make one with openssl genpkey, and a certificate for it');
}

function keyOf(file: NamedFile, { label, text }: PemBlock, password: string, setting: TextSetting): KeyObject {
  const encrypted = label.startsWith('ENCRYPTED') || text.includes('Proc-Type: 4,ENCRYPTED');
  try {
    return createPrivateKey(encrypted ? { key: text, passphrase: password } : text);
  } catch (error) {
    if (encrypted) throw file.problem(`holds an encrypted key that ${setting} does not open`, error);
    throw file.problem('holds a private key that is damaged or of an unknown kind: write the file again', error);
  }
}
