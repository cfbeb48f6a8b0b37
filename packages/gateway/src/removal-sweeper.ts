import { type Core, quietLogger, type Timer } from '@tandem/core';

const INTERVAL = 60_000;
const SAID_EVERY = 600_000;

type Swept = Pick<Core, 'clock' | 'logger'> & { readonly removals: Pick<Core['removals'], 'resume'> };

/** Removes what processes that died left of deleted tenants and customers: now, and once a minute. */
export function startRemovalSweeper({ removals, clock, logger }: Swept): () => void {
  let stopped = false;
  let timer: Timer;
  const quiet = quietLogger(logger, clock, SAID_EVERY);
  const sweep = async () => {
    try {
      await removals.resume();
    } catch (error) {
      if (!stopped) quiet.error('what was deleted cannot be looked for', { error: String(error) });
    }
    if (!stopped) timer = clock.setTimer(INTERVAL, sweep);
  };
  timer = clock.setTimer(0, sweep);
  return () => {
    stopped = true;
    timer.cancel();
  };
}
