import { createHash } from 'node:crypto';
import { TandemError } from '../errors';
import type { DeviceCredentials } from './model';
import { isStorableText, STORABLE_SENTENCE } from './storable-text';

/** What an MQTT client presents itself with. Null and empty are both "none", and stay as they were given. */
export interface MqttLogin {
  readonly clientId: string | null;
  readonly userName: string | null;
  /** A secret: never into a log line. */
  readonly password: string | null;
}

const MEMBERS = ['clientId', 'userName', 'password'] as const;
/** Longer than any token that is used as a password. */
const MAX_LENGTH = 4_096;

/**
 * Credentials of a device that speaks MQTT: they open none of our doors (contract 1.1), and are kept for the device's own side
 * and for a broker that asks for them. Found by the user name; with a client id alone by its SHA3-256, with both by the SHA3-256
 * of `<clientId>|<userName>`: in hexadecimal digits, as the reference makes them.
 * @param json `{"clientId":..,"userName":..,"password":..}`, of which each may be absent; other members are dropped
 * @throws TandemError BAD_REQUEST with the sentences of contract 5.2, which never repeat what is in it
 */
export function mqttCredentials(json: string): Pick<DeviceCredentials, 'credentialsId' | 'credentialsValue'> {
  const login = readLogin(json);
  const { clientId, userName, password } = login;
  if (!clientId && !userName) throw refused('Both mqtt client id and user name are empty!');
  if (clientId && password && !userName) throw refused('Password cannot be specified along with client id');
  return { credentialsId: idOf(clientId, userName), credentialsValue: JSON.stringify(login) };
}

function idOf(clientId: string | null, userName: string | null): string {
  if (!clientId) return userName ?? '';
  return createHash('sha3-256')
    .update(userName ? `${clientId}|${userName}` : clientId)
    .digest('hex');
}

function readLogin(json: string): MqttLogin {
  const given = objectOf(json);
  for (const name of MEMBERS) {
    const value = given[name] ?? null;
    if (value === null) continue;
    if (typeof value !== 'string') throw refused(`${name} of mqtt credentials must be a text`);
    if (value.length > MAX_LENGTH) throw refused(`${name} of mqtt credentials is longer than ${MAX_LENGTH} characters`);
    if (!isStorableText(value)) throw refused(`${name} of mqtt credentials ${STORABLE_SENTENCE}`);
  }
  const { clientId = null, userName = null, password = null } = given as Partial<MqttLogin>;
  return { clientId, userName, password };
}

function objectOf(json: string): Readonly<Record<string, unknown>> {
  try {
    const given: unknown = JSON.parse(json);
    if (typeof given === 'object' && given !== null && !Array.isArray(given)) return { ...given };
  } catch {
    // The message of the parser would repeat the text.
  }
  throw refused('Invalid credentials body for simple mqtt credentials!');
}

const refused = (message: string) => new TandemError('BAD_REQUEST', { message });
