import type { ApiKey, EpochMillis } from '@tandem/core';
import { entityId } from './entity-id';
import { EPOCH_MILLIS, exactly, FLAG, idSchema, nullable, TEXT } from './schema';

const MEMBERS = {
  id: idSchema('API_KEY'),
  createdTime: EPOCH_MILLIS,
  tenantId: idSchema('TENANT'),
  userId: idSchema('USER'),
  expirationTime: EPOCH_MILLIS,
  description: TEXT,
  enabled: FLAG,
  expired: FLAG,
};

export const API_KEY_INFO_ANSWER = exactly('ApiKeyInfo', MEMBERS);
export const API_KEY_ANSWER = exactly('ApiKey', { ...MEMBERS, value: nullable(TEXT) });

/** A key without its value. */
export const apiKeyInfoJson = (key: ApiKey, now: EpochMillis) => ({
  id: entityId('API_KEY', key.id),
  createdTime: key.createdTime,
  tenantId: entityId('TENANT', key.tenantId),
  userId: entityId('USER', key.userId),
  expirationTime: key.expirationTime,
  description: key.description,
  enabled: key.enabled,
  expired: key.expirationTime !== 0 && key.expirationTime <= now,
});
