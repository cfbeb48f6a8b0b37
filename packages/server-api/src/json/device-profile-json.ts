import type { DeviceProfile } from '@tandem/core';
import { entityId } from './entity-id';

/** Exactly the members of server contract 4.2. */
export const deviceProfileJson = (profile: DeviceProfile) => ({
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
  profileData: profile.profileData,
  defaultRuleChainId: null,
  defaultDashboardId: null,
  defaultQueueName: null,
  defaultEdgeRuleChainId: null,
  firmwareId: null,
  softwareId: null,
  externalId: null,
  version: profile.version,
});

/** The members that every version of the reference has (server contract 4.1). */
export const deviceProfileInfoJson = (profile: DeviceProfile) => ({
  id: entityId('DEVICE_PROFILE', profile.id),
  name: profile.name,
  image: null,
  defaultDashboardId: null,
  type: 'DEFAULT',
  transportType: profile.transportType,
});
