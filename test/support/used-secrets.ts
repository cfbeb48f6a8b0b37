import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { addLog, addSecret, SHORTEST, VARIABLE } from '../../tools/log-scan.cjs';

/** Where a test run keeps what it is scanned for; without one, as in a load test that is run by hand, nothing is kept. */
const folder = () => process.env[VARIABLE];
/** Those that have been said; and passwords of the demo, which everybody knows, and which are words of log lines as well. */
const known = new Set(['sysadmin']);

const testFile = (): string => {
  const path = typeof expect === 'undefined' ? undefined : expect.getState().testPath;
  return path === undefined ? '' : basename(path);
};

/** Says that this must stand in no log of the run. Texts of less than 8 characters are passed over. */
export function useSecret(secret: string): void {
  const where = folder();
  if (where === undefined || secret.length < SHORTEST || known.has(secret)) return;
  known.add(secret);
  addSecret(where, String(process.pid), secret, testFile());
}

/** Members whose values are secrets wherever they stand in what goes to or comes from the server API. */
const SECRET_MEMBER =
  /"(token|refreshToken|password|currentPassword|newPassword|activateToken|secretKey|provisionDevice(?:Key|Secret)|credentialsId|credentialsValue|hash|file|value)":"((?:[^"\\]|\\.)*)"/g;

/** Certificates are no secrets, whatever member they stand in. */
const isPublic = (text: string): boolean => text.includes('-----BEGIN CERTIFICATE-----') || text.startsWith('MII');

/** As `useSecret`, for what the environment of a process has: passwords, also within URLs, and the contents of key files. */
export function useSecretsOfEnvironment(environment: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(environment)) {
    if (/PASSWORD/.test(name)) useSecret(value);
    const [, password] = /^[a-z]+:\/\/[^:/?#]*:([^@/?#]*)@/.exec(value) ?? [];
    if (password !== undefined) useSecret(decodeURIComponent(password));
    if (/_KEY_FILE$/.test(name) && existsSync(value) && statSync(value).isFile()) useSecretsOfKeyFile(value);
  }
}

function useSecretsOfKeyFile(file: string): void {
  for (const line of readFileSync(file, 'utf8').split('\n')) if (/^[\w+/=]{32,}$/.test(line)) useSecret(line);
}

/** As `useSecret`, for the cells of a list of devices. */
export function useSecretsOfList(csv: string, delimiter = ','): void {
  const [head = [], ...rows] = csv.split(/\r?\n/).map((row) => row.split(delimiter));
  const secret = head.map((name) => /^(?:[\w-]*token|[\w-]*password|psk|psk[-_]key)$/i.test(name.trim()));
  for (const cell of rows.flatMap((row) => row.filter((_, n) => secret[n]))) if (!isPublic(cell)) useSecret(cell);
}

/** As `useSecret`, for the tokens of a path of the server API. */
export function useSecretsOfPath(path: string): void {
  for (const [, secret = ''] of path.matchAll(/[?&](?:accessToken|activateToken|token)=([^&]*)/g)) {
    useSecret(decodeURIComponent(secret));
  }
}

/** As `useSecret`, for those in a text of JSON. @param isKey whether `value` is one, as of an API key */
export function useSecretsOf(json: string, isKey = false): void {
  for (const [, name, secret = ''] of json.matchAll(SECRET_MEMBER)) {
    const text = JSON.parse(`"${secret}"`) as string;
    if (name === 'file') useSecretsOfList(text);
    else if (name === 'value' ? isKey : !isPublic(text)) useSecret(text);
    // Of MQTT, JSON in a string.
    if (name === 'credentialsValue' && text.startsWith('{')) useSecretsOf(text);
  }
}

/** What a process has written. @param pid of it */
export function keepLog(pid: number, text: string): void {
  const where = folder();
  if (where !== undefined) addLog(where, `${testFile()} ${pid}`, text);
}
