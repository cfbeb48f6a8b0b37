import type { Core } from '@tandem/core';
import { startRounds } from './rounds';

const ROUNDS = {
  interval: 60_000,
  first: 0,
  failure: 'what was deleted cannot be looked for',
  saidEvery: 600_000,
} as const;

type Swept = Pick<Core, 'clock' | 'logger'> & { readonly removals: Pick<Core['removals'], 'resume'> };

/** Removes what processes that died left of deleted tenants and customers: now, and once a minute. @returns stops */
export function startRemovalSweeper({ removals, clock, logger }: Swept): () => Promise<void> {
  return startRounds((stopped) => removals.resume(stopped), ROUNDS, { clock, logger });
}
