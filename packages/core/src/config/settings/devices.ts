import { rateLimits } from '../rate-limits';
import { flag, millis, type Setting, whole } from '../setting';

/** Devices: their activity, credentials in memory, claiming and provisioning. */
export const DEVICES_SETTINGS = {
  TB_TRANSPORT_SESSIONS_INACTIVITY_TIMEOUT: millis(600_000, 'How long a device keeps its position between two polls'),
  TB_TRANSPORT_SESSIONS_REPORT_TIMEOUT: millis(
    3_000,
    'How often a process reports which devices it heard of, and so how late `active` and `lastActivityTime` can be',
  ),
  TANDEM_ACTIVITY_MAX_DEVICES: whole(
    200_000,
    { min: 1 },
    'Devices whose activity a process notes between two reports; that of others counts with their next message',
  ),
  DEFAULT_INACTIVITY_TIMEOUT: whole(
    600,
    { min: 1, max: 1_000_000_000, unit: 's' },
    'A device is inactive when it has sent nothing for this long; its attribute `inactivityTimeout` (ms) goes before it',
  ),
  DEFAULT_STATE_CHECK_INTERVAL: whole(
    60,
    { min: 1, max: 86_400, unit: 's' },
    'How often the role `api` looks for devices that have become inactive',
  ),
  TANDEM_TENANT_MAX_DEVICES: whole(
    0,
    { min: 0 },
    'Most devices of a tenant, however they are made: beyond it 400, and `FAILURE` to one that provisions itself; 0: no limit',
  ),
  TANDEM_IMPORT_MAX_ROWS: whole(100_000, { min: 1 }, 'Rows of one device list; of a longer one nothing is imported'),
  TANDEM_CREDENTIALS_CACHE_MAX: whole(100_000, { min: 1 }, 'Credentials in the process cache'),
  TANDEM_DEVICE_DIRECTORY_MAX: whole(
    1_000_000,
    { min: 0 },
    'Devices that a process keeps in memory once it is asked for a list of them, about 500 bytes each; of a store with more, every list reads all of them',
  ),
  SECURITY_CLAIM_ALLOW_CLAIMING_BY_DEFAULT: flag(
    true,
    'Whether a device may be claimed that has no SERVER attribute `claimingAllowed` = true',
  ),
  SECURITY_CLAIM_DURATION: whole(
    86_400_000,
    { min: 1, unit: 'ms' },
    'How long a device can be claimed that has not said how long',
  ),
  TANDEM_CLAIM_FAILURES: rateLimits(
    'Most claims of a user that name an unknown device or a wrong secret; beyond it 429',
    '20:60',
  ),
  TANDEM_PROVISION_MAX_BYTES: whole(
    65_536,
    { min: 1_024, max: 1_048_576, unit: 'bytes' },
    'The longest provisioning request, which anybody may send; beyond it 413 / 4.13',
  ),
  TANDEM_PROVISION_MAX_RUNNING: whole(
    100,
    { min: 1 },
    'Provisioning requests of this process under way at the same time; further ones get 429 / 4.29',
  ),
  TANDEM_PROVISION_MAX_FAILURES: whole(
    20,
    { min: 0 },
    'Provisioning requests from one address with an unknown key or a wrong secret, after which it gets 429 / 4.29; 0: no limit',
  ),
  TANDEM_PROVISION_LOCK_TIME: millis(
    60_000,
    'How long such an address gets 429 / 4.29, and for how long an unknown key counts',
  ),
  TANDEM_PROVISION_RATE: rateLimits(
    'Most devices that one profile lets in by ALLOW_CREATE_NEW_DEVICES; beyond it 429 / 4.29',
  ),
  TANDEM_PROVISION_SUBJECTS_MAX: whole(
    65_536,
    { min: 1 },
    'Addresses, as they stand on datagrams, whose unknown keys this process remembers',
  ),
} as const satisfies Record<string, Setting<unknown>>;
