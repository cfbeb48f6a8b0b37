import type { Device, DeviceCredentials, DeviceProfile } from '@tandem/core';
import { entityId, optionalId } from './entity-id';
import {
  ALWAYS_NULL,
  EPOCH_MILLIS,
  exactly,
  FLAG,
  idSchema,
  nullable,
  OBJECT,
  oneOf,
  TEXT,
  UUID,
  WHOLE,
} from './schema';

const DEVICE_MEMBERS = {
  id: idSchema('DEVICE'),
  createdTime: EPOCH_MILLIS,
  additionalInfo: nullable(OBJECT),
  tenantId: idSchema('TENANT'),
  customerId: idSchema('CUSTOMER'),
  name: TEXT,
  type: TEXT,
  label: nullable(TEXT),
  deviceProfileId: idSchema('DEVICE_PROFILE'),
  deviceData: exactly('DeviceData', {
    configuration: OBJECT,
    transportConfiguration: OBJECT,
  }),
  firmwareId: nullable(idSchema('OTA_PACKAGE')),
  softwareId: nullable(idSchema('OTA_PACKAGE')),
  externalId: ALWAYS_NULL,
  version: WHOLE,
};

export const DEVICE_ANSWER = exactly('Device', DEVICE_MEMBERS);

export const DEVICE_INFO_ANSWER = exactly('DeviceInfo', {
  ...DEVICE_MEMBERS,
  customerTitle: nullable(TEXT),
  customerIsPublic: FLAG,
  deviceProfileName: TEXT,
  active: FLAG,
});

export const CREDENTIALS_ANSWER = exactly('DeviceCredentials', {
  id: exactly('DeviceCredentialsId', { id: UUID }),
  createdTime: EPOCH_MILLIS,
  deviceId: idSchema('DEVICE'),
  credentialsType: oneOf('ACCESS_TOKEN', 'X509_CERTIFICATE', 'MQTT_BASIC', 'LWM2M_CREDENTIALS'),
  credentialsId: TEXT,
  credentialsValue: nullable(TEXT),
  version: WHOLE,
});

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
  firmwareId: optionalId('OTA_PACKAGE', device.firmwareId),
  softwareId: optionalId('OTA_PACKAGE', device.softwareId),
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
