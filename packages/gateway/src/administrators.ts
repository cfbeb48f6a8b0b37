import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Core } from '@tandem/core';

const DEMO_TENANT = { email: 'tenant@thingsboard.org', password: 'tenant' } as const;
const DEMO_SYSTEM = { email: 'sysadmin@thingsboard.org', password: 'sysadmin' } as const;
const GENERATED_PASSWORD_LENGTH = 24;

/** Sees to it that somebody can log in: the demo logins, or one administrator with a password nobody else knows. */
export async function ensureAdministrators(core: Core): Promise<void> {
  if (core.settings.TANDEM_DEMO) await demoLogins(core);
  else await firstAdministrator(core);
}

async function demoLogins({ accounts, logger }: Core): Promise<void> {
  logger.warn('INSECURE: TANDEM_DEMO=true makes the well-known test logins; everybody knows their passwords', {
    logins: [DEMO_TENANT.email, DEMO_SYSTEM.email],
  });
  await accounts.setTenantAdmin(DEMO_TENANT.email, DEMO_TENANT.password, 'Demo');
  await accounts.setSystemAdmin(DEMO_SYSTEM.email, DEMO_SYSTEM.password);
}

async function firstAdministrator({ accounts, settings, random, logger }: Core): Promise<void> {
  const email = settings.TANDEM_ADMIN_EMAIL;
  if (await accounts.has(email)) return;
  const given = settings.TANDEM_ADMIN_PASSWORD;
  const password = given ?? random.alphanumeric(GENERATED_PASSWORD_LENGTH);
  if (given === undefined) {
    const file = join(settings.TANDEM_DATA_DIR, 'initial-admin-password');
    // The mode counts only where the file is made: one that is there already keeps its own.
    rmSync(file, { force: true });
    writeFileSync(file, `${password}\n`, { mode: 0o600, flag: 'wx' });
    logger.info('first administrator made; the password is in the file', { email, file });
  }
  await accounts.ensureTenantAdmin(email, password, 'Tenant');
}
