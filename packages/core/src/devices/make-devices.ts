import type { Attributes } from '../attributes/attributes';
import type { Settings } from '../config/settings';
import type { Connectivity } from '../connectivity/connectivity';
import type { Platform } from '../core';
import type { FirmwareAssignment } from '../firmware/firmware-assignment';
import type { PayloadSettings } from '../payload/index';
import type { State } from '../state/state';
import type { Telemetry } from '../telemetry/telemetry';
import { DeviceInfos } from './device-infos';
import { DeviceLimit } from './device-limit';
import type { DeviceProfiles } from './device-profiles';
import { Devices } from './devices';
import { DeviceImport } from './import/device-import';
import { NewDevices } from './new-devices';
import { ProfileTransports } from './profile-transports';

/** What of the domain is about devices as entities. */
export interface DeviceServices {
  readonly devices: Devices;
  readonly newDevices: NewDevices;
  readonly deviceInfos: DeviceInfos;
  readonly deviceImport: DeviceImport;
  readonly profileTransports: ProfileTransports;
}

export interface DeviceNeeds {
  readonly profiles: DeviceProfiles;
  readonly assignment: FirmwareAssignment;
  readonly connectivity: Connectivity;
  readonly attributes: Attributes;
  readonly telemetry: Telemetry;
  readonly payload: PayloadSettings;
}

export function makeDevices(
  state: State,
  settings: Settings,
  { clock, random, logger, metrics }: Platform,
  { profiles, assignment, connectivity, attributes, telemetry, payload }: DeviceNeeds,
): DeviceServices {
  const limit = new DeviceLimit(settings.TANDEM_TENANT_MAX_DEVICES, metrics);
  const devices = new Devices(
    state.devices,
    profiles,
    assignment,
    state.accounts,
    clock,
    random,
    limit,
    settings.TANDEM_COAP_DTLS_PSK,
  );
  const newDevices = new NewDevices(devices, connectivity, logger);
  return {
    devices,
    newDevices,
    deviceInfos: new DeviceInfos(state.devices, state.accounts, state.attributes),
    deviceImport: new DeviceImport(
      { devices, newDevices, attributes, telemetry, payload, clock, logger },
      settings.TANDEM_IMPORT_MAX_ROWS,
    ),
    profileTransports: new ProfileTransports(state.devices, settings.TANDEM_PROFILES_CACHE_MAX, metrics),
  };
}
