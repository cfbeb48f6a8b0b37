import { type Setting, whole } from '../setting';

/** Firmware and software packages. */
export const FIRMWARE_SETTINGS = {
  TANDEM_FIRMWARE_MAX_BYTES: whole(
    536_870_912,
    { min: 1, unit: 'bytes' },
    'Largest package of firmware or software; beyond it 413',
  ),
  TANDEM_FIRMWARE_MAX_TENANT_BYTES: whole(
    4_294_967_296,
    { min: 1, unit: 'bytes' },
    'Most bytes of all packages of a tenant; beyond it an upload is refused with 400',
  ),
  TANDEM_FIRMWARE_MAX_UPLOADS: whole(
    8,
    { min: 1 },
    'Packages that are being uploaded to this process at the same time, half of them of one tenant; further ones get 429',
  ),
  TANDEM_FIRMWARE_MAX_DOWNLOADS: whole(
    256,
    { min: 1 },
    'Downloads of devices over HTTP at the same time, at most 8 of one device; further ones get 429',
  ),
  TANDEM_FIRMWARE_DOWNLOAD_IDLE: whole(
    120_000,
    { min: 1, max: 3_600_000, unit: 'ms' },
    'How long the system may take no bytes of such a download, its send buffer being full, before the connection is closed; it can be resumed with `Range`',
  ),
  TANDEM_FIRMWARE_CACHE_MAX: whole(
    100_000,
    { min: 1 },
    'Devices of which the process remembers the package they have to get, so that a block costs one read',
  ),
  TANDEM_FIRMWARE_ROLLOUT_STEP: whole(
    100,
    { min: 1, max: 1_000 },
    'Devices that are told of a package at the same time when it is assigned to their profile',
  ),
  TANDEM_FIRMWARE_ROLLOUT_PAUSE: whole(
    20,
    { min: 0, max: 3_600_000, unit: 'ms' },
    'Pause between two steps of such a rollout: with a longer one fewer devices download at the same time',
  ),
} as const satisfies Record<string, Setting<unknown>>;
