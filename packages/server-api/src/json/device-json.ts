import type { Device, DeviceCredentials, DeviceProfile } from '@tandem/core';
import { entityId } from './entity-id';

/** Exactly the members of server contract 3.2: strict clients break on any other. */
export const deviceJson = (device: Device, profile: DeviceProfile): string => `{${deviceMembers(device, profile)}}`;

/** Server contract 3.1, row `info`. No device has a customer with a title in this version. */
export function deviceInfoJson(device: Device, profile: DeviceProfile, active: boolean): string {
  const more = { customerTitle: null, customerIsPublic: false, deviceProfileName: profile.name, active };
  return `{${deviceMembers(device, profile)},${membersOf(more)}}`;
}

/** `additionalInfo` is JSON with its own number texts, so this is text. */
function deviceMembers(device: Device, profile: DeviceProfile): string {
  const head = { id: entityId('DEVICE', device.id), createdTime: device.createdTime };
  const additionalInfo = `"additionalInfo":${device.additionalInfo ?? 'null'}`;
  return [membersOf(head), additionalInfo, membersOf(plainMembers(device, profile))].join(',');
}

const membersOf = (object: object) => JSON.stringify(object).slice(1, -1);

const plainMembers = (device: Device, { transportType }: DeviceProfile) => ({
  tenantId: entityId('TENANT', device.tenantId),
  customerId: entityId('CUSTOMER', device.customerId),
  name: device.name,
  type: device.type,
  label: device.label,
  deviceProfileId: entityId('DEVICE_PROFILE', device.deviceProfileId),
  deviceData: { configuration: { type: 'DEFAULT' }, transportConfiguration: { type: transportType } },
  firmwareId: null,
  softwareId: null,
  externalId: null,
  version: device.version,
});

/** Server contract 3.3. Holds the access token. */
export const credentialsJson = (credentials: DeviceCredentials) => ({
  id: { id: credentials.id },
  createdTime: credentials.createdTime,
  deviceId: entityId('DEVICE', credentials.deviceId),
  credentialsType: credentials.credentialsType,
  credentialsId: credentials.credentialsId,
  credentialsValue: credentials.credentialsValue,
  version: credentials.version,
});
