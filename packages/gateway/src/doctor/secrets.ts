import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Logger, type Settings, silentLogger, systemRandom } from '@tandem/core';
import { problemsOf } from '../logging/problems';
import { readSecretBox } from '../settings/secret-key-file';
import { type Finding, fail, ok, warn } from './finding';

/** Keys for what is secret in the store. */
export function checkSecretKeys(settings: Settings): Finding[] {
  const file = settings.TANDEM_SECRET_KEY_FILE;
  if (file === undefined) return [];
  const about = 'TANDEM_SECRET_KEY_FILE';
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (message) => void warnings.push(message) };
  try {
    const { keyIds } = readSecretBox(settings, systemRandom, logger);
    if (warnings.length > 0) return warnings.map((text) => warn(about, `${file}: ${text}`, `chmod 600 ${file}`));
    return [ok(about, `${keyIds.length} keys in ${file}`)];
  } catch (error) {
    return problemsOf(error).map((text) => fail(about, text, 'See docs/guides/encrypt-secrets.md.'));
  }
}

/** The logins are in Redis, and the password beside what an embedded store keeps is of that. */
const isOfAnotherStore = ({ REDIS_URL, TANDEM_DATA_DIR, TANDEM_ADMIN_PASSWORD }: Settings): boolean =>
  REDIS_URL !== undefined && (TANDEM_ADMIN_PASSWORD !== undefined || existsSync(join(TANDEM_DATA_DIR, 'data.mdb')));

/** Logins that others may know. */
export function checkLogins(settings: Settings): Finding[] {
  if (!settings.TANDEM_ROLES.includes('api')) return [];
  const findings: Finding[] = [];
  if (settings.TANDEM_DEMO) {
    findings.push(
      warn('TANDEM_DEMO', 'makes logins whose passwords everybody knows', 'Unset it wherever strangers can connect.'),
    );
  }
  const file = join(settings.TANDEM_DATA_DIR, 'initial-admin-password');
  if (existsSync(file) && !isOfAnotherStore(settings)) {
    findings.push(
      warn(
        'administrator',
        `${file} still has the first password`,
        `Log in as ${settings.TANDEM_ADMIN_EMAIL}, change it (POST /api/auth/changePassword), and delete the file.`,
      ),
    );
  }
  return findings;
}
