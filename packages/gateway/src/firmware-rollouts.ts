import { type Core, type Millis, quietLogger, type Timer } from '@tandem/core';

/** When it is looked for rollouts again after there was none. */
const INTERVAL: Millis = 1_000;
const SAID_EVERY: Millis = 10_000;

/**
 * Tells devices of the packages that were assigned to their profiles. Any number of processes may do it.
 * @returns stops; resolves when the step that was under way has been kept
 */
export function startFirmwareRollouts({ firmware, clock, logger }: Core): () => Promise<void> {
  let stopped = false;
  let timer: Timer | undefined;
  let running: Promise<void> = Promise.resolve();
  const quiet = quietLogger(logger, clock, SAID_EVERY);
  const work = async () => {
    try {
      while (!stopped && (await firmware.rollouts.work(() => stopped)));
    } catch (error) {
      if (!stopped) quiet.error('devices not told of their firmware yet', { error: String(error) });
    }
    if (!stopped) schedule();
  };
  const schedule = () => {
    timer = clock.setTimer(INTERVAL, () => {
      running = work();
    });
  };
  schedule();
  return () => {
    stopped = true;
    timer?.cancel();
    return running;
  };
}
