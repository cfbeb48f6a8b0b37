import type { Device, DeviceCredentials, DeviceHolder, TransportType, Uuid } from '@tandem/core';
import { type EntityType, entityId } from './entity-id';
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

/**
 * Exactly the members of server contract 3.2: strict clients break on any other. Put together as text: `additionalInfo` has
 * its own number texts, and a page of a hundred devices is to cost no more than what surrounds it.
 */
export const deviceJson = (device: Device, transport: TransportType): string => `{${deviceMembers(device, transport)}}`;

/** What is shown with a device (server contract 3.1, row `info`), and is not its own. */
export interface DeviceSurroundings {
  readonly transport: TransportType;
  readonly customer: DeviceHolder | undefined;
  readonly active: boolean;
}

export function deviceInfoJson(device: Device, { transport, customer, active }: DeviceSurroundings): string {
  const customerTitle = customer ? JSON.stringify(customer.title) : 'null';
  const ofCustomer = `"customerTitle":${customerTitle},"customerIsPublic":${customer?.isPublic ?? false}`;
  const rest = `${ofCustomer},"deviceProfileName":${JSON.stringify(device.type)},"active":${active}`;
  return `{${deviceMembers(device, transport)},${rest}}`;
}

function deviceMembers(device: Device, transport: TransportType): string {
  const { id, createdTime, additionalInfo, tenantId, customerId, name, type, label, deviceProfileId } = device;
  const [firmwareId, softwareId] = [packageReference(device.firmwareId), packageReference(device.softwareId)];
  return (
    `"id":${reference('DEVICE', id)},"createdTime":${createdTime},"additionalInfo":${additionalInfo ?? 'null'},` +
    `"tenantId":${reference('TENANT', tenantId)},"customerId":${reference('CUSTOMER', customerId)},` +
    `"name":${JSON.stringify(name)},"type":${JSON.stringify(type)},"label":${JSON.stringify(label)},` +
    `"deviceProfileId":${reference('DEVICE_PROFILE', deviceProfileId)},` +
    `"deviceData":{"configuration":{"type":"DEFAULT"},"transportConfiguration":{"type":"${transport}"}},` +
    `"firmwareId":${firmwareId},"softwareId":${softwareId},"externalId":null,"version":${device.version}`
  );
}

/** An id as {@link entityId}, as text. */
const reference = (entityType: EntityType, id: Uuid): string => `{"entityType":"${entityType}","id":"${id}"}`;

const packageReference = (id: Uuid | null): string => (id ? reference('OTA_PACKAGE', id) : 'null');

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
