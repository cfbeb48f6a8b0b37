import { TandemError } from '../errors';
import type { DeviceCredentials } from './model';
import { isStorableText, STORABLE_SENTENCE } from './storable-text';

/** In bytes of UTF-8, as it is on the wire (RFC 4279 section 5.1). */
const MAX_IDENTITY = 128;
/** In bytes: 128 bits are what RFC 7925 section 4.2 asks for, 64 bytes what implementations have to take (RFC 4279 section 5.3). */
const MIN_KEY = 16;
const MAX_KEY = 64;

/**
 * Credentials of a device that has a pre-shared key in place of a certificate: found by their identity, which the device
 * sends without any protection.
 * @param identity 1 to 128 bytes of UTF-8
 * @param key 16 to 64 bytes in hexadecimal digits
 * @throws TandemError BAD_REQUEST with a sentence that never repeats what it was given
 */
export function pskCredentials(
  identity: string,
  key: string,
): Pick<DeviceCredentials, 'credentialsId' | 'credentialsValue'> {
  if (identity.trim() === '') throw refused('The identity of a pre-shared key should be specified in credentialsId!');
  if (Buffer.byteLength(identity) > MAX_IDENTITY) {
    throw refused(`The identity of a pre-shared key is longer than ${MAX_IDENTITY} bytes`);
  }
  if (!isStorableText(identity)) throw refused(`The identity of a pre-shared key ${STORABLE_SENTENCE}`);
  const digits = key.trim().toLowerCase();
  if (digits === '') throw refused('The pre-shared key should be specified in credentialsValue!');
  const bytes = digits.length / 2;
  if (!/^(?:[0-9a-f]{2})+$/.test(digits) || bytes < MIN_KEY || bytes > MAX_KEY) {
    throw refused(`A pre-shared key must be ${MIN_KEY} to ${MAX_KEY} bytes in hexadecimal digits`);
  }
  return { credentialsId: identity, credentialsValue: digits };
}

const refused = (message: string) => new TandemError('BAD_REQUEST', { message });
