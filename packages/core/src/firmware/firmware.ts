import type { Settings } from '../config/settings';
import type { Platform } from '../core';
import type { MessageLimits } from '../limits/limits';
import type { State } from '../state/state';
import { DeviceFirmware } from './device-firmware';
import { FirmwareDownloads } from './downloads';
import { FirmwareAssignment } from './firmware-assignment';
import { FirmwareRollouts } from './firmware-rollouts';
import { OtaPackages } from './ota-packages';
import { PackageData } from './package-data';

/** Firmware and software: packages, their bytes, and how devices come to know of them (server contract 8). */
export interface Firmware {
  readonly packages: OtaPackages;
  readonly data: PackageData;
  readonly downloads: FirmwareDownloads;
  readonly assignment: FirmwareAssignment;
  readonly rollouts: FirmwareRollouts;
}

export function makeFirmware(state: State, settings: Settings, platform: Platform, limits: MessageLimits): Firmware {
  const { clock, random, logger, metrics } = platform;
  const devices = new DeviceFirmware(state);
  const data = new PackageData(
    state.firmware,
    {
      maxBytes: settings.TANDEM_FIRMWARE_MAX_BYTES,
      maxTenantBytes: settings.TANDEM_FIRMWARE_MAX_TENANT_BYTES,
      maxUploads: settings.TANDEM_FIRMWARE_MAX_UPLOADS,
    },
    clock,
    logger,
    metrics,
  );
  return {
    packages: new OtaPackages(state.firmware, state.devices, clock, random),
    data,
    downloads: new FirmwareDownloads(
      state,
      data,
      limits,
      { maxDownloads: settings.TANDEM_FIRMWARE_MAX_DOWNLOADS, maxDevices: settings.TANDEM_FIRMWARE_CACHE_MAX },
      random,
      metrics,
    ),
    assignment: new FirmwareAssignment(state, devices, clock, random, logger),
    rollouts: new FirmwareRollouts(
      state,
      devices,
      { step: settings.TANDEM_FIRMWARE_ROLLOUT_STEP, pause: settings.TANDEM_FIRMWARE_ROLLOUT_PAUSE },
      clock,
      random,
      logger,
      metrics,
    ),
  };
}
