import type { Settings } from '../config/settings';
import type { Platform } from '../core';
import type { DeviceProfiles } from '../devices/device-profiles';
import type { State } from '../state/state';
import { Accounts } from './accounts';
import { Activations } from './activations';
import { ApiKeys } from './api-keys';
import { Customers } from './customers';
import { LoginGuard, type LoginLimits } from './login-guard';
import { Logins } from './logins';
import { Principals } from './principals';
import { Removals } from './removals';
import { Tenants } from './tenants';
import { Users } from './users';

/** Who may use the server API, and for whom. */
export interface AccountServices {
  readonly accounts: Accounts;
  readonly tenants: Tenants;
  readonly customers: Customers;
  readonly users: Users;
  readonly logins: Logins;
  readonly activations: Activations;
  readonly apiKeys: ApiKeys;
  readonly principals: Principals;
  readonly removals: Removals;
}

export function makeAccounts(
  state: State,
  settings: Settings,
  profiles: DeviceProfiles,
  { clock, random, logger, metrics }: Platform,
): AccountServices {
  const store = state.accounts;
  const passwordMinLength = settings.TANDEM_PASSWORD_MIN_LENGTH;
  const removals = new Removals(state, clock, logger, metrics);
  const guard = new LoginGuard(state.failures, loginLimits(settings), clock, metrics);
  const loginSettings = {
    passwordMinLength,
    endedSessionsMax: settings.TANDEM_SESSIONS_ENDED_MAX,
    sessionLife: settings.JWT_REFRESH_TOKEN_EXPIRATION_TIME * 1_000,
  };
  const activationSettings = { passwordMinLength, tokenLife: settings.SECURITY_USER_ACTIVATION_TOKEN_TTL };
  return {
    accounts: new Accounts(store, profiles, clock, random),
    tenants: new Tenants(store, profiles, removals, clock, random),
    customers: new Customers(store, removals, clock, random),
    users: new Users(store, clock, random),
    logins: new Logins(store, guard, loginSettings, clock),
    activations: new Activations(store, activationSettings, clock, random),
    apiKeys: new ApiKeys(store, settings.TANDEM_API_KEYS_MAX, clock, random),
    principals: new Principals(store, settings.TANDEM_PRINCIPALS_CACHE_MAX, clock, metrics),
    removals,
  };
}

const loginLimits = (settings: Settings): LoginLimits => ({
  account: {
    max: settings.TANDEM_LOGIN_MAX_FAILURES,
    window: settings.TANDEM_LOGIN_LOCK_TIME,
    lock: settings.TANDEM_LOGIN_LOCK_TIME,
  },
  address: {
    max: settings.TANDEM_LOGIN_ADDRESS_MAX_FAILURES,
    window: settings.TANDEM_LOGIN_ADDRESS_LOCK_TIME,
    lock: settings.TANDEM_LOGIN_ADDRESS_LOCK_TIME,
  },
});
