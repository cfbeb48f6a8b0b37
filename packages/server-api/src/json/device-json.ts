import type { Device, DeviceCredentials, DeviceProfile } from '@tandem/core';
import { entityId } from './entity-id';

/** Exactly the members of server contract 3.2: strict clients break on any other. */
export const deviceJson = (device: Device, { transportType }: DeviceProfile) => ({
  id: entityId('DEVICE', device.id),
  createdTime: device.createdTime,
  additionalInfo: device.additionalInfo,
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

/** Server contract 3.1, row `info`. No device has a customer with a title in this version. */
export const deviceInfoJson = (device: Device, profile: DeviceProfile, active: boolean) => ({
  ...deviceJson(device, profile),
  customerTitle: null,
  customerIsPublic: false,
  deviceProfileName: profile.name,
  active,
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
