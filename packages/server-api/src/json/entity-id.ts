import type { Uuid } from '@tandem/core';

export type EntityType = 'DEVICE' | 'DEVICE_PROFILE' | 'TENANT' | 'CUSTOMER' | 'USER' | 'RPC';

/** How an entity is referred to (server contract 1.3). */
export interface EntityIdJson {
  readonly entityType: EntityType;
  readonly id: Uuid;
}

export const entityId = (entityType: EntityType, id: Uuid): EntityIdJson => ({ entityType, id });
