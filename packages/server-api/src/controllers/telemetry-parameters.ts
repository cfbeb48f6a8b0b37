import { type AttributeScope, type Millis, TandemError, type Uuid } from '@tandem/core';
import { uuidParameter } from '../http/path';
import type { PublicRequest } from '../routing/route';

type Params = PublicRequest['params'];

/** In the order in which answers about all scopes list them. */
export const SCOPES: readonly AttributeScope[] = ['CLIENT', 'SERVER', 'SHARED'];

/** The `{entityType}/{entityId}` or the short `{deviceId}` form (server contract 5). @throws TandemError BAD_REQUEST */
export function deviceParameter(params: Params): Uuid {
  if (params.entityType === undefined) return uuidParameter(params, 'deviceId');
  if (params.entityType !== 'DEVICE') {
    throw new TandemError('BAD_REQUEST', { message: `Entity type '${params.entityType}' is not supported` });
  }
  return uuidParameter(params, 'entityId');
}

/** @throws TandemError BAD_REQUEST */
export function scopeParameter(params: Params): AttributeScope {
  const scope = SCOPES.find((candidate) => `${candidate}_SCOPE` === params.scope);
  if (!scope) throw new TandemError('BAD_REQUEST', { message: `Invalid scope: ${params.scope}` });
  return scope;
}

/** Some thousand years: added to any time it is still one. */
const MAX_TTL_SECONDS = 100_000_000_000;

/** Seconds in the path; undefined for none, or 0, which is for ever. @throws TandemError BAD_REQUEST */
export function ttlParameter({ ttl = '0' }: Params): Millis | undefined {
  const seconds = Number(ttl);
  if (!/^\+?\d{1,17}$/.test(ttl) || seconds > MAX_TTL_SECONDS) {
    throw new TandemError('BAD_REQUEST', { message: `Parameter 'ttl' must be from 0 to ${MAX_TTL_SECONDS} seconds` });
  }
  return seconds === 0 ? undefined : seconds * 1_000;
}
