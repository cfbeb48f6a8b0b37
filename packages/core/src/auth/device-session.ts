import type { DeviceProfile, JsonObject, TransportType, Uuid } from '../devices/model';
import type { ResolvedDevice } from '../state/device-store';

/** Who sent a request: what the credentials stand for, and what the device's profile says about its transport. */
export interface DeviceSession {
  readonly tenantId: Uuid;
  readonly deviceId: Uuid;
  readonly deviceName: string;
  /** The profile's name. */
  readonly deviceType: string;
  readonly profileId: Uuid;
  readonly transportType: TransportType;
  /** EFENTO devices do not speak this API (contract 2.2). */
  readonly coapDeviceType: 'DEFAULT' | 'EFENTO';
}

export function sessionOf({ device, profile }: ResolvedDevice): DeviceSession {
  return {
    tenantId: device.tenantId,
    deviceId: device.id,
    deviceName: device.name,
    deviceType: device.type,
    profileId: profile.id,
    transportType: profile.transportType,
    coapDeviceType: coapDeviceType(profile),
  };
}

function coapDeviceType(profile: DeviceProfile): 'DEFAULT' | 'EFENTO' {
  const transport = member(profile.profileData, 'transportConfiguration');
  return member(transport, 'coapDeviceTypeConfiguration')?.coapDeviceType === 'EFENTO' ? 'EFENTO' : 'DEFAULT';
}

function member(object: JsonObject | undefined, name: string): JsonObject | undefined {
  const value = object?.[name];
  return typeof value === 'object' && value !== null ? (value as JsonObject) : undefined;
}
