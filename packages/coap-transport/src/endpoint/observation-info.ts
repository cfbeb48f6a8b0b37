import type { Millis } from '@tandem/core';
import type { ObservationInfo } from './observation';
import { NEVER, type Relation } from './relation';

/** What an operator is told of a relation. */
export function describe(relation: Relation, now: Millis): ObservationInfo {
  const { peer, source, tokenKey, confirmable, number, state, notifications, registeredAt, acknowledgedAt } = relation;
  const since = (second: number): number => Math.max(0, Math.floor(now / 1000) - second);
  return {
    source,
    peer,
    token: tokenKey,
    confirmable,
    number,
    state,
    notifications,
    age: since(registeredAt),
    sinceAcknowledged: acknowledgedAt === NEVER ? undefined : since(acknowledgedAt),
    roundTrip: peer.roundTrip < 0 ? undefined : peer.roundTrip,
  };
}
