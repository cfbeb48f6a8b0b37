import type { Uuid } from '@tandem/core';

export type EntityType =
  | 'DEVICE'
  | 'DEVICE_PROFILE'
  | 'TENANT'
  | 'CUSTOMER'
  | 'USER'
  | 'OTA_PACKAGE'
  | 'RPC'
  | 'API_KEY';

/** How an entity is referred to (server contract 1.3). */
export interface EntityIdJson {
  readonly entityType: EntityType;
  readonly id: Uuid;
}

export const entityId = (entityType: EntityType, id: Uuid): EntityIdJson => ({ entityType, id });

/** Null where there is none. */
export const optionalId = (entityType: EntityType, id: Uuid | null | undefined): EntityIdJson | null =>
  id ? entityId(entityType, id) : null;
