import type { EpochMillis } from '@tandem/core';
import type { Commands } from '../client';
import type { Keys } from '../keys';

/**
 * How far the retention is, for all processes: the hash `<prefix>:{registry}:retention`. A pass that a process died over goes on
 * in another one, at its cursor.
 */
export interface RetentionState {
  /** Where the pass under way goes on among the devices; undefined between two passes. */
  readonly cursor: string | undefined;
  /** Devices it has looked at. */
  readonly looked: number;
  /** How often a pass was asked for. */
  readonly wanted: number;
  /** The same, when the pass under way began. */
  readonly begunAfter: number;
  /** The same, of the last pass that is through. */
  readonly served: number;
  /** When that was; 0 before the first one. */
  readonly ended: EpochMillis;
}

const FIELDS = ['cursor', 'looked', 'wanted', 'begunAfter', 'served', 'ended'] as const;

export const retentionKey = (keys: Keys): string => keys.registry('retention');

export async function readRetention(commands: Commands, keys: Keys): Promise<RetentionState> {
  const [cursor, ...numbers] = await commands.during(() => commands.client.hmget(retentionKey(keys), ...FIELDS));
  const [looked = 0, wanted = 0, begunAfter = 0, served = 0, ended = 0] = numbers.map(Number);
  return { cursor: cursor ?? undefined, looked, wanted, begunAfter, served, ended };
}

/** Asks for a pass that begins from now on. @returns what `served` has to reach */
export const wantPass = (commands: Commands, keys: Keys): Promise<number> =>
  commands.during(() => commands.client.hincrby(retentionKey(keys), 'wanted', 1));

/** Notes what has changed; a cursor that is undefined ends the pass. */
export async function noteRetention(commands: Commands, keys: Keys, change: Partial<RetentionState>): Promise<void> {
  const key = retentionKey(keys);
  const { cursor, ...numbers } = change;
  const fields = cursor === undefined ? numbers : { ...numbers, cursor };
  await commands.during(async () => {
    await commands.client.hset(key, fields);
    if (cursor === undefined) await commands.client.hdel(key, 'cursor');
  });
}
