import type { Clock, Millis } from '@tandem/core';

/** Resolves after that time, or at once when the signal is aborted. */
export function pause(clock: Clock, time: Millis, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const over = () => {
      timer.cancel();
      signal.removeEventListener('abort', over);
      resolve();
    };
    const timer = clock.setTimer(time, over);
    signal.addEventListener('abort', over, { once: true });
  });
}
