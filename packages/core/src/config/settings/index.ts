import type { Setting } from '../setting';
import { ACCOUNTS_SETTINGS } from './accounts';
import { COAP_SETTINGS } from './coap';
import { COAPS_SETTINGS } from './coaps';
import { CONNECTIVITY_SETTINGS } from './connectivity';
import { DEVICES_SETTINGS } from './devices';
import { FIRMWARE_SETTINGS } from './firmware';
import { HTTP_SETTINGS } from './http';
import { HTTPS_SETTINGS } from './https';
import { LIMITS_SETTINGS } from './limits';
import { PAYLOAD_SETTINGS } from './payload';
import { PROCESS_SETTINGS } from './process';
import { REDIS_SETTINGS } from './redis';
import { RPC_SETTINGS } from './rpc';
import { SECURITY_SETTINGS } from './security';
import { SERVER_API_SETTINGS } from './server-api';
import { STORE_SETTINGS } from './store';

export { ROLES, type Role } from './process';

/**
 * Every setting of Tandem, by what it is about: this folder is the one place that names them. `docs/reference/settings.md` is
 * generated from here. Names that ThingsBoard has are kept (contract 1.1, 1.9, 2.1).
 */
export const SETTINGS = {
  ...PROCESS_SETTINGS,
  ...HTTP_SETTINGS,
  ...HTTPS_SETTINGS,
  ...COAP_SETTINGS,
  ...COAPS_SETTINGS,
  ...DEVICES_SETTINGS,
  ...RPC_SETTINGS,
  ...PAYLOAD_SETTINGS,
  ...FIRMWARE_SETTINGS,
  ...SERVER_API_SETTINGS,
  ...CONNECTIVITY_SETTINGS,
  ...ACCOUNTS_SETTINGS,
  ...SECURITY_SETTINGS,
  ...STORE_SETTINGS,
  ...REDIS_SETTINGS,
  ...LIMITS_SETTINGS,
} as const satisfies Record<string, Setting<unknown>>;

export type SettingName = keyof typeof SETTINGS;

/** The settings as read: numbers as numbers, unset optional ones undefined. */
export type Settings = { readonly [K in SettingName]: ReturnType<(typeof SETTINGS)[K]['parse']> };
