import { type Commands, loadScript } from '../client';
import type { Keys } from '../keys';
import { isAfter } from './message-codec';

const PROGRESS = loadScript('telemetry-progress');

/** The consumer group of the materialiser, on every stream. */
export const GROUP = 'materialiser';

export interface Progress {
  /** Id of the newest entry; '' where there is none. */
  readonly newestId: string;
  readonly length: number;
  /** The oldest entry that the materialiser has not acknowledged; '' where there is none. */
  readonly oldestOpenId: string;
  /** Id of the newest entry that the stream has ever had. */
  readonly everNewestId: string;
}

export async function progressOf(commands: Commands, keys: Keys, partition: number): Promise<Progress> {
  const [newestId, length, oldestOpenId, everNewestId] = await commands.run<[string, number, string, string]>(
    PROGRESS,
    [keys.telemetry(partition)],
    [GROUP],
  );
  return { newestId, length, oldestOpenId, everNewestId };
}

/** Whether the materialiser has everything up to and with the entry. */
export const hasPassed = ({ oldestOpenId }: Progress, id: string): boolean =>
  oldestOpenId === '' || isAfter(oldestOpenId, id);
