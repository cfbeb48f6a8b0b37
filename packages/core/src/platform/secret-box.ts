import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { TandemError } from '../errors';
import type { Random } from './random';

/** Keeps texts secret where they are stored. */
export interface SecretBox {
  /** Ids of the keys, which tell nothing of them: the first seals, all open. Empty: nothing is sealed. */
  readonly keyIds: readonly string[];
  /** @param place where the text is going to stand: it opens nowhere else */
  seal(text: string, place: string): string;
  /**
   * What is not sealed is given back as it is.
   * @throws TandemError STORE_UNAVAILABLE for a text of a key that is not there, which another process may have; INTERNAL for
   * one that was changed or stood elsewhere
   */
  open(text: string, place: string): string;
}

/** Seals nothing. */
export const CLEAR_BOX: SecretBox = { keyIds: [], seal: (text) => text, open: (text) => requireClear(text) };

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const ID_BYTES = 8;
/** `sealed1.<id of the key>.<base64url of nonce, ciphertext, tag>`: no JSON and no base64 reads like it. */
const SEALED = /^sealed1\.([0-9a-f]{16})\./;

interface Key {
  readonly id: string;
  readonly bytes: Buffer;
}

/** AES-256-GCM, with a random nonce for each text. The head of the text and its place are authenticated along with it. */
class KeyedBox implements SecretBox {
  readonly keyIds: readonly string[];
  readonly #keys: ReadonlyMap<string, Key>;

  constructor(
    private readonly first: Key,
    others: readonly Key[],
    private readonly random: Pick<Random, 'bytes'>,
  ) {
    this.#keys = new Map([first, ...others].map((key) => [key.id, key]));
    this.keyIds = [...this.#keys.keys()];
  }

  seal(text: string, place: string): string {
    const { id, bytes } = this.first;
    const head = `sealed1.${id}.`;
    const nonce = this.random.bytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, bytes, nonce).setAAD(Buffer.from(head + place));
    const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return head + sealed.toString('base64url');
  }

  open(text: string, place: string): string {
    const [head, id] = SEALED.exec(text) ?? [];
    if (head === undefined || id === undefined) return text;
    const key = this.#keys.get(id);
    if (!key) throw strangeKey();
    try {
      const sealed = Buffer.from(text.slice(head.length), 'base64url');
      const decipher = createDecipheriv(CIPHER, key.bytes, sealed.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      })
        .setAAD(Buffer.from(head + place))
        .setAuthTag(sealed.subarray(-TAG_BYTES));
      return decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    } catch {
      throw new TandemError('INTERNAL', { cause: new Error(`what is sealed in the store at ${place} is spoilt`) });
    }
  }
}

/** @param keys 32 bytes each, the one that seals first; with none nothing is sealed */
export function makeSecretBox(keys: readonly Buffer[], random: Pick<Random, 'bytes'>): SecretBox {
  const [first, ...others] = keys.map((bytes): Key => ({ id: idOf(bytes), bytes }));
  return first ? new KeyedBox(first, others, random) : CLEAR_BOX;
}

/** The id of the key that sealed the text; undefined for a text that is not sealed. */
export const sealingKeyOf = (text: string): string | undefined => SEALED.exec(text)?.[1];

/** Whether it stands as it would be written now. */
export const isSealedNow = (box: SecretBox, text: string): boolean => sealingKeyOf(text) === box.keyIds[0];

const idOf = (key: Buffer): string =>
  createHmac('sha256', key).update('id of a key').digest().subarray(0, ID_BYTES).toString('hex');

function requireClear(text: string): string {
  if (sealingKeyOf(text) !== undefined) throw strangeKey();
  return text;
}

/** Strangers hear nothing of keys; the cause is for the log. */
const strangeKey = () =>
  new TandemError('STORE_UNAVAILABLE', {
    message: 'The store cannot serve this',
    cause: new Error('a secret in the store is sealed by a key that this process lacks'),
  });
