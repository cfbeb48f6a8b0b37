import type { Core } from '@tandem/core';
import { startRounds } from './rounds';

/** It is looked for rollouts again a while after there was none. */
const ROUNDS = { interval: 1_000, failure: 'devices not told of their firmware yet' } as const;

/**
 * Tells devices of the packages that were assigned to their profiles. Any number of processes may do it.
 * @returns stops; resolves when the step that was under way has been kept
 */
export function startFirmwareRollouts({ firmware, clock, logger }: Core): () => Promise<void> {
  const work = async (stopped: () => boolean) => {
    while (!stopped() && (await firmware.rollouts.work(stopped)));
  };
  return startRounds(work, ROUNDS, { clock, logger });
}
