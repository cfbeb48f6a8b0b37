import { choice, flag, list, optionalText, port, type Setting, text } from '../setting';
import { workerCount } from '../worker-count';

export const ROLES = ['http', 'coap', 'coaps', 'api'] as const;
export type Role = (typeof ROLES)[number];

/** Roles, first logins, metrics and logs. */
export const PROCESS_SETTINGS = {
  TANDEM_ROLES: list<Role>(
    ['http', 'coap', 'api'],
    ROLES,
    'Which parts this process runs; `api` carries the materialiser, `coaps` is CoAP over DTLS whatever `COAP_DTLS_ENABLED` says',
  ),
  TANDEM_WORKERS: workerCount(
    'Processes that run these roles behind the same ports, to use more than one core; more than 1 needs `REDIS_URL`. `auto`: one for each core',
  ),
  TANDEM_ADMIN_EMAIL: text('tenant@thingsboard.org', 'Login of the first tenant administrator'),
  TANDEM_ADMIN_PASSWORD: optionalText(
    'Password of the first tenant administrator; generated into `<data dir>/initial-admin-password` when unset',
    { secret: true },
  ),
  TANDEM_SYSADMIN_EMAIL: text('sysadmin@thingsboard.org', 'Login of the system administrator, who makes tenants'),
  TANDEM_SYSADMIN_PASSWORD: optionalText('Password of the system administrator; none is made when unset', {
    secret: true,
  }),
  TANDEM_DEMO: flag(false, 'Makes the well-known test logins. Insecure: never where strangers can connect'),
  TANDEM_METRICS_ADDRESS: text('0.0.0.0', 'Address of /metrics, /livez and /readyz'),
  TANDEM_METRICS_PORT: port(9090, 'Port of /metrics, /livez and /readyz'),
  TANDEM_LOG_LEVEL: choice<'error' | 'warn' | 'info' | 'debug'>(
    'info',
    ['error', 'warn', 'info', 'debug'],
    'Least severe log lines that are written',
  ),
} as const satisfies Record<string, Setting<unknown>>;
