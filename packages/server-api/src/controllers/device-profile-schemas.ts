import { type JsonObject, PROVISION_TYPES, type ProvisionType, type TransportType } from '@tandem/core';
import { TRANSPORT_TYPES } from '../json/device-profile-json';
import { idOf, NULLABLE_OBJECT, NULLABLE_TEXT, NULLABLE_VERSION } from './device-schemas';

/** In characters: it is read along with every profile. */
const MAX_DESCRIPTION = 10_000;

/** Server contract 4.2, the request's half. Null is absent. */
export interface DeviceProfileBody {
  readonly id?: { readonly id: string } | null;
  readonly name?: string | null;
  readonly description?: string | null;
  readonly default?: boolean | null;
  readonly type?: 'DEFAULT' | null;
  readonly transportType?: TransportType | null;
  readonly provisionType?: ProvisionType | null;
  readonly provisionDeviceKey?: string | null;
  readonly profileData?: JsonObject | null;
  readonly firmwareId?: { readonly id: string } | null;
  readonly softwareId?: { readonly id: string } | null;
  readonly version?: number | null;
}

/**
 * Members about what this product does not have, such as rule chains, dashboards and images, are let pass, and are null in
 * the answer.
 */
export const DEVICE_PROFILE_SCHEMA = {
  type: 'object',
  properties: {
    id: idOf('DEVICE_PROFILE'),
    name: NULLABLE_TEXT,
    description: { type: ['string', 'null'], maxLength: MAX_DESCRIPTION },
    default: { type: ['boolean', 'null'] },
    type: { enum: ['DEFAULT', null] },
    transportType: { enum: [...TRANSPORT_TYPES, null] },
    provisionType: { enum: [...PROVISION_TYPES, null] },
    provisionDeviceKey: NULLABLE_TEXT,
    profileData: NULLABLE_OBJECT,
    firmwareId: idOf('OTA_PACKAGE'),
    softwareId: idOf('OTA_PACKAGE'),
    version: NULLABLE_VERSION,
  },
};
