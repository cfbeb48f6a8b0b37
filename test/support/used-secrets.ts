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
  /"(token|refreshToken|password|currentPassword|newPassword|activateToken|secretKey|provisionDevice(?:Key|Secret)|credentialsId|value)":"((?:[^"\\]|\\.)*)"/g;

/** As `useSecret`, for the tokens of a path of the server API. */
export function useSecretsOfPath(path: string): void {
  for (const [, secret = ''] of path.matchAll(/[?&](?:accessToken|activateToken|token)=([^&]*)/g)) {
    useSecret(decodeURIComponent(secret));
  }
}

/** As `useSecret`, for those in a text of JSON. @param isKey whether `value` is one, as of an API key */
export function useSecretsOf(json: string, isKey = false): void {
  for (const [, name, secret = ''] of json.matchAll(SECRET_MEMBER)) {
    if (name !== 'value' || isKey) useSecret(JSON.parse(`"${secret}"`) as string);
  }
}

/** What a process has written. @param pid of it */
export function keepLog(pid: number, text: string): void {
  const where = folder();
  if (where !== undefined) addLog(where, `${testFile()} ${pid}`, text);
}
