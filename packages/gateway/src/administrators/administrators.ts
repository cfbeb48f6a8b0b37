import type { Core } from '@tandem/core';
import type { Patience } from '../store/patience';
import { InitialPassword } from './initial-password';

const DEMO_TENANT = { email: 'tenant@thingsboard.org', password: 'tenant' } as const;
const DEMO_SYSTEM = { email: 'sysadmin@thingsboard.org', password: 'sysadmin' } as const;

/**
 * Sees to it that somebody can log in, also after the store has lost everything.
 * @returns ends that
 */
export async function keepAdministrators(core: Core, patience: Patience): Promise<() => void> {
  const { state, logger } = core;
  const ensure = () => patience.with('the administrators', () => ensureAdministrators(core));
  let ensuring = Promise.resolve();
  let stopped = false;
  const stop = state.onReset(() => {
    ensuring = ensuring.then(async () => {
      if (stopped) return;
      logger.warn('the store was emptied: administrators are made again');
      await ensure().catch((error: unknown) => {
        if (!stopped) logger.error('administrators not made again', { error: String(error) });
      });
    });
  });
  await ensure();
  return () => {
    stopped = true;
    stop();
  };
}

/**
 * The demo logins, or one administrator with a password nobody else knows. Any number of processes may do it at the same
 * time: there will be one of each.
 */
export async function ensureAdministrators(core: Core): Promise<void> {
  if (core.settings.TANDEM_DEMO) await demoLogins(core);
  else {
    await firstAdministrator(core);
    await systemAdministrator(core);
  }
}

async function demoLogins({ accounts, logger }: Core): Promise<void> {
  logger.warn('INSECURE: TANDEM_DEMO=true makes the well-known test logins; everybody knows their passwords', {
    logins: [DEMO_TENANT.email, DEMO_SYSTEM.email],
  });
  await accounts.setTenantAdmin(DEMO_TENANT.email, DEMO_TENANT.password, 'Demo');
  await accounts.setSystemAdmin(DEMO_SYSTEM.email, DEMO_SYSTEM.password);
}

async function firstAdministrator({ accounts, settings, random, logger }: Core): Promise<void> {
  const { TANDEM_ADMIN_EMAIL: email, TANDEM_ADMIN_PASSWORD: given } = settings;
  const generated = new InitialPassword(settings.TANDEM_DATA_DIR, random);
  const outcome = await accounts.ensureTenantAdmin(email, () => given ?? generated.draft(), 'Tenant');
  if (outcome === 'created' && given !== undefined) return;
  if (outcome === 'created') generated.keep();
  else if (!(await generated.settle((password) => accounts.passwordFits(email, password)))) return;
  logger.info('first administrator made; the password is in the file', { email, file: generated.file });
}

/** Only where somebody wants one: one gateway serves one tenant as a rule. */
async function systemAdministrator({ accounts, settings, logger }: Core): Promise<void> {
  const { TANDEM_SYSADMIN_EMAIL: email, TANDEM_SYSADMIN_PASSWORD: password } = settings;
  if (password === undefined) return;
  const outcome = await accounts.ensureSystemAdmin(email, password);
  if (outcome === 'created') logger.info('system administrator made', { email });
}
