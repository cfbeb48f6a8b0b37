import type { DeviceCredentials, DeviceProfile, JsonObject, TransportType, Uuid } from '../devices/model';
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
  /** What the session was made from. */
  readonly credentials: CredentialsStamp;
}

/** Which credentials, without what is secret in them. */
export type CredentialsStamp = Pick<DeviceCredentials, 'id' | 'version'>;

export function sessionOf({ device, profile, credentials }: ResolvedDevice): DeviceSession {
  return {
    tenantId: device.tenantId,
    deviceId: device.id,
    deviceName: device.name,
    deviceType: device.type,
    profileId: profile.id,
    transportType: profile.transportType,
    coapDeviceType: coapDeviceType(profile),
    credentials: { id: credentials.id, version: credentials.version },
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
