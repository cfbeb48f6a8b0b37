import { type DeviceProfile, PROVISION_TYPES, type ProfileInfo } from '@tandem/core';
import { entityId, optionalId } from './entity-id';
import {
  ALWAYS_NULL,
  EPOCH_MILLIS,
  exactly,
  FLAG,
  idSchema,
  listOf,
  nullable,
  OBJECT,
  oneOf,
  TEXT,
  WHOLE,
} from './schema';

export const TRANSPORT_TYPES = ['DEFAULT', 'MQTT', 'COAP', 'LWM2M', 'SNMP'] as const;

export const DEVICE_PROFILE_ANSWER = exactly('DeviceProfile', {
  id: idSchema('DEVICE_PROFILE'),
  createdTime: EPOCH_MILLIS,
  tenantId: idSchema('TENANT'),
  name: TEXT,
  description: nullable(TEXT),
  image: ALWAYS_NULL,
  default: FLAG,
  type: oneOf('DEFAULT'),
  transportType: oneOf(...TRANSPORT_TYPES),
  provisionType: oneOf(...PROVISION_TYPES),
  provisionDeviceKey: nullable(TEXT),
  profileData: OBJECT,
  defaultRuleChainId: ALWAYS_NULL,
  defaultDashboardId: ALWAYS_NULL,
  defaultQueueName: ALWAYS_NULL,
  defaultEdgeRuleChainId: ALWAYS_NULL,
  firmwareId: nullable(idSchema('OTA_PACKAGE')),
  softwareId: nullable(idSchema('OTA_PACKAGE')),
  externalId: ALWAYS_NULL,
  version: WHOLE,
});

export const DEVICE_PROFILE_INFO_ANSWER = exactly('DeviceProfileInfo', {
  id: idSchema('DEVICE_PROFILE'),
  name: TEXT,
  image: ALWAYS_NULL,
  defaultDashboardId: ALWAYS_NULL,
  type: oneOf('DEFAULT'),
  transportType: oneOf(...TRANSPORT_TYPES),
});

export const DEVICE_PROFILE_NAMES_ANSWER = listOf(
  exactly('DeviceProfileName', { id: idSchema('DEVICE_PROFILE'), name: TEXT }),
);

/** Exactly the members of server contract 4.2. `profileData` is JSON with its own number texts, so this is text. */
export function deviceProfileJson(profile: DeviceProfile): string {
  const before = {
    id: entityId('DEVICE_PROFILE', profile.id),
    createdTime: profile.createdTime,
    tenantId: entityId('TENANT', profile.tenantId),
    name: profile.name,
    description: profile.description,
    image: null,
    default: profile.isDefault,
    type: 'DEFAULT',
    transportType: profile.transportType,
    provisionType: profile.provisionType,
    provisionDeviceKey: profile.provisionDeviceKey,
  };
  const behind = {
    defaultRuleChainId: null,
    defaultDashboardId: null,
    defaultQueueName: null,
    defaultEdgeRuleChainId: null,
    firmwareId: optionalId('OTA_PACKAGE', profile.firmwareId),
    softwareId: optionalId('OTA_PACKAGE', profile.softwareId),
    externalId: null,
    version: profile.version,
  };
  return `${JSON.stringify(before).slice(0, -1)},"profileData":${profile.profileData},${JSON.stringify(behind).slice(1)}`;
}

/** The members that every version of the reference has (server contract 4.1). */
export const deviceProfileInfoJson = (profile: ProfileInfo) => ({
  id: entityId('DEVICE_PROFILE', profile.id),
  name: profile.name,
  image: null,
  defaultDashboardId: null,
  type: 'DEFAULT',
  transportType: profile.transportType,
});

export const deviceProfileNameJson = ({ id, name }: ProfileInfo) => ({ id: entityId('DEVICE_PROFILE', id), name });
