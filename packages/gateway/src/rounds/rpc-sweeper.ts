import type { Core } from '@tandem/core';
import { startRounds } from './rounds';

const BATCH = 1_000;
/** A round goes on only with a store in which most of it can be cleared away. */
const ENOUGH = BATCH / 2;

/** Clears lapsed commands away, once a second, for as long as the process lives. @returns stops */
export function startRpcSweeper({ rpcCalls, clock, logger }: Core): () => Promise<void> {
  const sweep = async (stopped: () => boolean) => {
    while ((await rpcCalls.sweep(BATCH)) >= ENOUGH && !stopped());
  };
  return startRounds(sweep, { interval: 1_000, failure: 'lapsed RPCs not swept' }, { clock, logger });
}

/** The first look after a start, which may never see the end of a longer interval. */
const FIRST_LOOK = 60_000;

/** Removes finished persistent commands that are too old, now and again, for as long as the process lives. @returns stops */
export function startFinishedRpcSweeper({ finishedRpcs, clock, logger, settings }: Core): () => Promise<void> {
  const interval = settings.SQL_RPC_TTL_CHECKING_INTERVAL;
  return startRounds(
    (stopped) => finishedRpcs.trim(stopped),
    { interval, first: Math.min(FIRST_LOOK, interval), failure: 'outdated RPCs not removed' },
    { clock, logger },
  );
}
