import { type SecretBox, sealingKeyOf } from '../platform/secret-box';

/** The keys of this process do not fit the store; the message says in one line why. Trying again would not help. */
export class SecretKeyError extends Error {
  override readonly name = 'SecretKeyError';
}

const PLACE = 'keys';
const PROOF = 'tandem';
/** Before the proof of a key that nothing may be sealed with any more, while what it has sealed may still be there. */
const RETIRED = 'retired:';

const proofsOf = (text: string | undefined): readonly string[] => (text ? text.split(' ') : []);
const isRetired = (proof: string): boolean => proof.startsWith(RETIRED);
const plain = (proof: string): string => (isRetired(proof) ? proof.slice(RETIRED.length) : proof);
const keyOf = (proof: string): string | undefined => sealingKeyOf(plain(proof));

/**
 * In a store with sealed secrets stands a proof for each key that may have sealed some of them: a known text that it has sealed.
 * @param text the proofs, separated by spaces
 * @returns what has to stand there before this process writes; undefined where it seals nothing
 * @throws SecretKeyError when a key is missing
 */
export function keysInUse(box: SecretBox, text: string | undefined): string | undefined {
  const proofs = proofsOf(text);
  const [first] = box.keyIds;
  if (first === undefined) {
    if (proofs.length > 0) {
      throw new SecretKeyError(
        'The secrets in the store are encrypted: name the file with their key (TANDEM_SECRET_KEY_FILE)',
      );
    }
    return undefined;
  }
  const missing = proofs.map(keyOf).filter((id) => id === undefined || !box.keyIds.includes(id));
  if (missing.length > 0) {
    throw new SecretKeyError(
      `Secrets in the store are encrypted with another key: ${missing.join(', ')} is not in the file, ` +
        `which has ${box.keyIds.join(', ')} (TANDEM_SECRET_KEY_FILE)`,
    );
  }
  for (const proof of proofs) {
    if (box.open(plain(proof), PLACE) !== PROOF) throw new SecretKeyError('The proof of a key in the store is spoilt');
  }
  if (mayWrite(box, text)) return text;
  const others = proofs.filter((proof) => keyOf(proof) !== first);
  const own = proofs.find((proof) => keyOf(proof) === first);
  return [...others, own === undefined ? box.seal(PROOF, PLACE) : plain(own)].join(' ');
}

/**
 * Whether a secret may be written as this process seals it: what is written with a key that everything is sealed away from, or in
 * clear where others seal, could be read by nobody once the pass is through, or by everybody.
 * @param text the proofs that stand in the store
 */
export function mayWrite(box: SecretBox, text: string | undefined): boolean {
  const [first] = box.keyIds;
  const proofs = proofsOf(text);
  return first === undefined ? proofs.length === 0 : proofs.some((proof) => sealingKeyOf(proof) === first);
}

/** What stands there while everything is sealed by the first key: nothing else is written by any other from here on. */
export const keysRetiring = (box: SecretBox, text: string | undefined): string =>
  proofsOf(keysInUse(box, text))
    .map((proof) => (keyOf(proof) === box.keyIds[0] ? proof : RETIRED + plain(proof)))
    .join(' ');

/** Ids of the keys but the first that processes may write with. */
export const keysBesideFirst = (box: SecretBox, text: string | undefined): readonly string[] =>
  proofsOf(text).flatMap((proof) => {
    const id = sealingKeyOf(proof);
    return id === undefined || id === box.keyIds[0] ? [] : id;
  });

/**
 * The same once everything is sealed by the first key.
 * @param text what stands there, with the proof of the first key
 * @throws SecretKeyError where there is none
 */
export function keysInUseOfFirst(box: SecretBox, text?: string): string {
  const [first] = box.keyIds;
  if (first === undefined) throw new SecretKeyError('There is no key to seal with (TANDEM_SECRET_KEY_FILE)');
  return proofsOf(text).find((proof) => sealingKeyOf(proof) === first) ?? box.seal(PROOF, PLACE);
}
