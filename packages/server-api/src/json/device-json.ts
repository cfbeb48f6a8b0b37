import {
  type Device,
  type DeviceCredentials,
  type DeviceHolder,
  quote,
  type TransportType,
  type Uuid,
} from '@tandem/core';
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
  credentialsType: oneOf('ACCESS_TOKEN', 'X509_CERTIFICATE', 'MQTT_BASIC', 'LWM2M_CREDENTIALS', 'PSK'),
  credentialsId: TEXT,
  credentialsValue: nullable(TEXT),
  version: WHOLE,
});

/** What is shown with a device (server contract 3.1, row `info`), and is not its own. */
export interface DeviceSurroundings {
  readonly transport: TransportType;
  readonly customer: DeviceHolder | undefined;
  readonly active: boolean;
}

/**
 * Devices of one answer, with exactly the members of server contract 3.2: strict clients break on any other. Put together as
 * text: `additionalInfo` has its own number texts, and a page of a hundred devices is to cost no more than what surrounds it.
 * For that what many of them have in common is put together once, and stands in one place.
 */
export class DeviceTexts {
  /** By profile, of the device that had it last. */
  readonly #common = new Map<Uuid, Common>();

  device(device: Device, transport: TransportType): string {
    return `${this.#members(device, transport)}}`;
  }

  info(device: Device, { transport, customer, active }: DeviceSurroundings): string {
    const customerTitle = customer ? JSON.stringify(customer.title) : 'null';
    const ofCustomer = `"customerTitle":${customerTitle},"customerIsPublic":${customer?.isPublic ?? false}`;
    const rest = `${ofCustomer},"deviceProfileName":${JSON.stringify(device.type)},"active":${active}`;
    return `${this.#members(device, transport)},${rest}}`;
  }

  #members(device: Device, transport: TransportType): string {
    const { id, createdTime, name, label, additionalInfo, version } = device;
    const head = `{"id":{"entityType":"DEVICE","id":"${id}"},"createdTime":${createdTime},"name":${quote(name)}`;
    const own =
      label === null && additionalInfo === null
        ? `${head},"label":null,"additionalInfo":null,"version":`
        : `${head},"label":${JSON.stringify(label)},"additionalInfo":${additionalInfo ?? 'null'},"version":`;
    return `${own}${version}${this.#commonOf(device, transport)}`;
  }

  #commonOf(device: Device, transport: TransportType): string {
    const known = this.#common.get(device.deviceProfileId);
    if (known && isCommon(known, device, transport)) return known.text;
    const text = commonText(device, transport);
    this.#common.set(device.deviceProfileId, { device, transport, text });
    return text;
  }
}

/** What a device shares with others of its customer and profile. */
interface Common {
  readonly device: Device;
  readonly transport: TransportType;
  readonly text: string;
}

const isCommon = (known: Common, device: Device, transport: TransportType): boolean =>
  known.device.customerId === device.customerId &&
  known.device.type === device.type &&
  known.device.firmwareId === device.firmwareId &&
  known.device.softwareId === device.softwareId &&
  known.device.tenantId === device.tenantId &&
  known.transport === transport;

function commonText(
  { tenantId, customerId, type, deviceProfileId, ...device }: Device,
  transport: TransportType,
): string {
  const members = {
    tenantId: entityId('TENANT', tenantId),
    customerId: entityId('CUSTOMER', customerId),
    type,
    deviceProfileId: entityId('DEVICE_PROFILE', deviceProfileId),
    deviceData: { configuration: { type: 'DEFAULT' }, transportConfiguration: { type: transport } },
    firmwareId: optionalId('OTA_PACKAGE', device.firmwareId),
    softwareId: optionalId('OTA_PACKAGE', device.softwareId),
    externalId: null,
  };
  return `,${JSON.stringify(members).slice(1, -1)}`;
}

/** A device alone. */
export const deviceJson = (device: Device, transport: TransportType): string =>
  new DeviceTexts().device(device, transport);

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
