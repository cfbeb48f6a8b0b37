import type { Core, Timer } from '@tandem/core';

const INTERVAL = 1_000;
const BATCH = 1_000;

/** Clears lapsed commands away, once a second, for as long as the process lives. */
export function startRpcSweeper({ rpcCalls, clock, logger }: Core): () => void {
  let stopped = false;
  let timer: Timer;
  const sweep = async () => {
    try {
      while ((await rpcCalls.sweep(BATCH)) === BATCH && !stopped);
    } catch (error) {
      if (!stopped) logger.error('lapsed RPCs not swept', { error: String(error) });
    }
    if (!stopped) timer = clock.setTimer(INTERVAL, sweep);
  };
  timer = clock.setTimer(INTERVAL, sweep);
  return () => {
    stopped = true;
    timer.cancel();
  };
}
