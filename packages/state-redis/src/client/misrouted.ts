import type { Millis } from '@tandem/core';
import { Cluster, type Redis } from 'ioredis';

/**
 * A Cluster whose slots are on the move: the command went to the wrong node, or nowhere, and was not carried out. ioredis
 * follows a slot by itself only where a whole pipeline is sent on.
 */
const MISROUTED = /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN)\b|same slots allocation group|reading 'join'/;
const SHORTEST: Millis = 50;
const LONGEST: Millis = 150;

export const isMisrouted = (error: unknown): boolean => error instanceof Error && MISROUTED.test(error.message);

/** Learns where the slots are; resolves when another attempt makes sense. Gateways do not come back all at once. */
export function rerouted(client: Redis | Cluster): Promise<void> {
  if (client instanceof Cluster) client.refreshSlotsCache();
  return new Promise((resolve) => setTimeout(resolve, SHORTEST + Math.random() * (LONGEST - SHORTEST)));
}
