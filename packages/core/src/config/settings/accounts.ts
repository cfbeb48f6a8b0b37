import { flag, millis, type Setting, whole } from '../setting';

/** Users: passwords, lock-out, API keys. */
export const ACCOUNTS_SETTINGS = {
  SECURITY_USER_TOKEN_ACCESS_ENABLED: flag(
    true,
    'Whether administrators may get tokens of the tenant administrators or customer users below them',
  ),
  SECURITY_USER_ACTIVATION_TOKEN_TTL: whole(
    86_400_000,
    { min: 60_000, unit: 'ms' },
    'How long the link works with which a new user sets the first password',
  ),
  TANDEM_PASSWORD_MIN_LENGTH: whole(6, { min: 1, max: 72, unit: 'characters' }, 'The shortest password a user may set'),
  TANDEM_LOGIN_MAX_FAILURES: whole(
    10,
    { min: 0 },
    'Wrong passwords in a row that lock an account, whether or not there is such an account; 0: no limit',
  ),
  TANDEM_LOGIN_LOCK_TIME: millis(900_000, 'How long an account is locked, and for how long a wrong password counts'),
  TANDEM_LOGIN_ADDRESS_MAX_FAILURES: whole(
    50,
    { min: 0 },
    'Wrong passwords from one address, whatever the accounts, after which its logins get 429; 0: no limit',
  ),
  TANDEM_LOGIN_ADDRESS_LOCK_TIME: millis(
    300_000,
    'How long logins from such an address get 429, and for how long a wrong password counts',
  ),
  TANDEM_LOGIN_SUBJECTS_MAX: whole(
    100_000,
    { min: 1 },
    'Accounts and addresses whose wrong passwords the embedded store remembers',
  ),
  TANDEM_PRINCIPALS_CACHE_MAX: whole(10_000, { min: 1 }, 'Accounts and API keys in the process cache'),
  TANDEM_API_KEYS_MAX: whole(100, { min: 1, max: 1_000 }, 'API keys of one user'),
  TANDEM_SESSIONS_ENDED_MAX: whole(
    100,
    { min: 1, max: 1_000 },
    'Sessions of one user that are known to have been ended; with one more all sessions of the user end',
  ),
  TANDEM_TOKENS_CACHE_MAX: whole(
    10_000,
    { min: 1 },
    'Tokens of the server API whose signature a process remembers to have checked',
  ),
} as const satisfies Record<string, Setting<unknown>>;
