import type { CredentialsType, JsonObject } from '@tandem/core';
import { parseUuid } from '../http/path';
import type { EntityIdJson } from '../json/entity-id';

const UUID = { type: 'string', format: 'uuid' };
const PLAIN_TEXT = { type: 'string', maxLength: 255, format: 'storable-text' };
export const NULLABLE_TEXT = { ...PLAIN_TEXT, type: ['string', 'null'] };
export const NULLABLE_OBJECT = { type: ['object', 'null'] };
export const NULLABLE_VERSION = { type: ['integer', 'null'] };

export const idOf = (entityType: EntityIdJson['entityType']) => ({
  type: ['object', 'null'],
  required: ['id'],
  properties: { id: UUID, entityType: { enum: [entityType] } },
});

const CREDENTIALS_ID = { type: ['object', 'null'], required: ['id'], properties: { id: UUID } };

/** Server contract 3.2, the request's half. Null is absent. */
export interface DeviceBody {
  readonly id?: { readonly id: string } | null;
  readonly name: string;
  readonly type?: string | null;
  readonly label?: string | null;
  readonly deviceProfileId?: { readonly id: string } | null;
  readonly customerId?: { readonly id: string } | null;
  readonly additionalInfo?: JsonObject | null;
  readonly deviceData?: JsonObject | null;
  readonly firmwareId?: { readonly id: string } | null;
  readonly softwareId?: { readonly id: string } | null;
  readonly version?: number | null;
}

export const DEVICE_SCHEMA = {
  type: 'object',
  required: ['name'],
  properties: {
    id: idOf('DEVICE'),
    name: PLAIN_TEXT,
    type: NULLABLE_TEXT,
    label: NULLABLE_TEXT,
    deviceProfileId: idOf('DEVICE_PROFILE'),
    customerId: idOf('CUSTOMER'),
    additionalInfo: NULLABLE_OBJECT,
    deviceData: NULLABLE_OBJECT,
    firmwareId: idOf('OTA_PACKAGE'),
    softwareId: idOf('OTA_PACKAGE'),
    version: NULLABLE_VERSION,
  },
};

/** Server contract 3.3. */
export interface CredentialsBody {
  readonly id?: { readonly id: string } | null;
  readonly deviceId?: { readonly id: string } | null;
  readonly credentialsType?: CredentialsType | null;
  readonly credentialsId?: string | null;
  readonly credentialsValue?: string | null;
  readonly version?: number | null;
}

export const CREDENTIALS_SCHEMA = {
  type: 'object',
  properties: {
    id: CREDENTIALS_ID,
    deviceId: idOf('DEVICE'),
    credentialsType: { enum: ['ACCESS_TOKEN', 'X509_CERTIFICATE', 'MQTT_BASIC', 'LWM2M_CREDENTIALS', 'PSK', null] },
    credentialsId: NULLABLE_TEXT,
    credentialsValue: { type: ['string', 'null'] },
    version: NULLABLE_VERSION,
  },
};

export interface DeviceWithCredentialsBody {
  readonly device: DeviceBody;
  readonly credentials: CredentialsBody;
}

export const DEVICE_WITH_CREDENTIALS_SCHEMA = {
  type: 'object',
  required: ['device', 'credentials'],
  properties: { device: DEVICE_SCHEMA, credentials: CREDENTIALS_SCHEMA },
};

/** The UUID of an id that has passed the schema; undefined for null and absent. */
export const uuidOf = (id: { readonly id: string } | null | undefined) => (id ? parseUuid(id.id) : undefined);
