import { type Logger, TandemError, type Uuid } from '@tandem/core';
import type { Commands } from '../client';
import type { Keys } from '../keys';

const FIELD = 'partitions';
const MAX = 256;

/** The partition of a device: FNV-1a over its id. Never to be changed, or a device would be in two streams. */
export function partitionOf(deviceId: Uuid, partitions: number): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < deviceId.length; at++) hash = Math.imul(hash ^ deviceId.charCodeAt(at), 0x01000193);
  return (hash >>> 0) % partitions;
}

/**
 * How many streams the log has. The first process on an empty store decides; it is the same for all processes, and stays.
 * @param wish of this process: its setting, or what it has used so far
 */
export async function agreePartitions(commands: Commands, keys: Keys, wish: number): Promise<number> {
  const key = keys.registry('meta');
  const stored = await commands.during(async () => {
    const known = await commands.client.hget(key, FIELD);
    if (known !== null) return known;
    await commands.client.hsetnx(key, FIELD, wish);
    return commands.client.hget(key, FIELD);
  });
  const partitions = Number(stored);
  if (Number.isInteger(partitions) && partitions >= 1 && partitions <= MAX) return partitions;
  throw new TandemError('INTERNAL', { message: 'The store has no proper number of telemetry partitions' });
}

export function reportPartitions(partitions: number, setting: number, logger: Logger): void {
  if (partitions === setting) return;
  logger.warn('the store has another number of telemetry partitions than TANDEM_TELEMETRY_PARTITIONS', {
    partitions,
    setting,
  });
}
