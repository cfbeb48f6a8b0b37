import { createHash, X509Certificate } from 'node:crypto';
import { TandemError } from '../errors';
import type { Random } from '../platform/random';
import type { CredentialsType, DeviceCredentials } from './model';
import { mqttCredentials } from './mqtt-credentials';
import { pskCredentials } from './psk-credentials';
import { isStorableText, STORABLE_SENTENCE } from './storable-text';

/** What a caller gives as credentials (server contract 3.3). */
export interface CredentialsRequest {
  readonly credentialsType?: CredentialsType | null;
  /** The token, or the identity of a pre-shared key; for a certificate and for MQTT it is computed, whatever is given. */
  readonly credentialsId?: string | null;
  /**
   * The certificate: PEM, or what stands between its armour lines. A pre-shared key in hexadecimal digits. Of MQTT an object as
   * JSON text: see `mqttCredentials`.
   */
  readonly credentialsValue?: string | null;
}

/** What of credentials depends on the request. */
export type CredentialsContent = Pick<
  DeviceCredentials,
  'credentialsType' | 'credentialsId' | 'credentialsValue' | 'provisionRequest'
>;

const TOKEN_LENGTH = 20;
const MAX_TOKEN_LENGTH = 255;
/** In characters: many times what certificates of devices have. */
const MAX_CERTIFICATE_LENGTH = 65_536;
const ARMOUR = /-----(?:BEGIN|END) CERTIFICATE-----/g;

/**
 * Credentials of a device that is made: without a type they are an access token, and without a token one of 20 random
 * letters and digits.
 * @throws TandemError BAD_REQUEST
 */
export function newCredentials(request: CredentialsRequest, random: Random): CredentialsContent {
  const credentialsType = request.credentialsType ?? 'ACCESS_TOKEN';
  const wantsToken = credentialsType === 'ACCESS_TOKEN' && !request.credentialsId;
  const credentialsId = wantsToken ? random.alphanumeric(TOKEN_LENGTH) : request.credentialsId;
  return credentialsContent({ ...request, credentialsType, credentialsId });
}

/** @throws TandemError BAD_REQUEST with the sentences of server contract 3.3 */
export function credentialsContent({
  credentialsType,
  credentialsId,
  credentialsValue,
}: CredentialsRequest): CredentialsContent {
  switch (credentialsType) {
    case 'ACCESS_TOKEN':
      if (!credentialsId?.trim()) throw refused('Device credentials id should be specified!');
      if (credentialsId.length > MAX_TOKEN_LENGTH) {
        throw refused(`Access token is longer than ${MAX_TOKEN_LENGTH} characters`);
      }
      if (!isStorableText(credentialsId)) throw refused(`Access token ${STORABLE_SENTENCE}`);
      return { credentialsType, credentialsId, credentialsValue: null };
    case 'X509_CERTIFICATE': {
      const trimmed = trimmedCertificate(credentialsValue ?? '');
      return { credentialsType, credentialsId: certificateId(trimmed), credentialsValue: trimmed };
    }
    case 'MQTT_BASIC':
      return { credentialsType, ...mqttCredentials(credentialsValue ?? '') };
    case 'PSK':
      return { credentialsType, ...pskCredentials(credentialsId ?? '', credentialsValue ?? '') };
    case null:
    case undefined:
      throw refused('Device credentials type should be specified');
    default:
      throw refused(`Credentials of type ${credentialsType} are not supported: there is no transport for them`);
  }
}

/**
 * How the device of a certificate is found (server contract 3.3, TV-317).
 * @param trimmed base64 of the certificate, without armour and line breaks
 * @returns SHA3-256 in hexadecimal digits
 */
export const certificateId = (trimmed: string): string => createHash('sha3-256').update(trimmed).digest('hex');

/** @throws TandemError BAD_REQUEST when it is not exactly one certificate */
function trimmedCertificate(text: string): string {
  if (text.length > MAX_CERTIFICATE_LENGTH) {
    throw refused(`The certificate is longer than ${MAX_CERTIFICATE_LENGTH} characters`);
  }
  const base64 = text.replace(ARMOUR, '').replace(/\s+/g, '');
  if (base64 === '') throw refused('X.509 certificate should be specified in credentialsValue!');
  const bytes = Buffer.from(base64, 'base64');
  // What is no base64, has bytes behind it or a second certificate would be found by another id than the device's own.
  if (bytes.toString('base64') !== base64 || !isCertificate(bytes)) {
    throw refused('credentialsValue must be one X.509 certificate, as PEM or base64');
  }
  return base64;
}

function isCertificate(bytes: Buffer): boolean {
  try {
    return new X509Certificate(bytes).raw.equals(bytes);
  } catch {
    return false;
  }
}

const refused = (message: string) => new TandemError('BAD_REQUEST', { message });
