import { type SecretBox, sealingKeyOf } from '../platform/secret-box';

/** The keys of this process do not fit the store; the message says in one line why. Trying again would not help. */
export class SecretKeyError extends Error {
  override readonly name = 'SecretKeyError';
}

const PLACE = 'keys';
const PROOF = 'tandem';

/**
 * In a store with sealed secrets stands a proof for each key that may have sealed some of them: a known text that it has sealed.
 * @param text the proofs, separated by spaces
 * @returns what has to stand there before this process writes; undefined where it seals nothing
 * @throws SecretKeyError when a key is missing
 */
export function keysInUse(box: SecretBox, text: string | undefined): string | undefined {
  const proofs = text ? text.split(' ') : [];
  const [first] = box.keyIds;
  if (first === undefined) {
    if (proofs.length > 0) {
      throw new SecretKeyError(
        'The secrets in the store are encrypted: name the file with their key (TANDEM_SECRET_KEY_FILE)',
      );
    }
    return undefined;
  }
  const missing = proofs.map(sealingKeyOf).filter((id) => id === undefined || !box.keyIds.includes(id));
  if (missing.length > 0) {
    throw new SecretKeyError(
      `Secrets in the store are encrypted with another key: ${missing.join(', ')} is not in the file, ` +
        `which has ${box.keyIds.join(', ')} (TANDEM_SECRET_KEY_FILE)`,
    );
  }
  for (const proof of proofs) {
    if (box.open(proof, PLACE) !== PROOF) throw new SecretKeyError('The proof of a key in the store is spoilt');
  }
  return proofs.some((proof) => sealingKeyOf(proof) === first) ? text : [...proofs, box.seal(PROOF, PLACE)].join(' ');
}

/**
 * The same once everything is sealed by the first key.
 * @throws SecretKeyError where there is none
 */
export function keysInUseOfFirst(box: SecretBox): string {
  const proof = keysInUse(box, undefined);
  if (proof === undefined) throw new SecretKeyError('There is no key to seal with (TANDEM_SECRET_KEY_FILE)');
  return proof;
}
