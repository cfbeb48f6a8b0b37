import type { Core, Millis, Timer } from '@tandem/core';

/** Reports what the doors of this process heard of devices. @returns makes the last report, when the doors are closed */
export function startActivityReports({ connectivity, clock, logger, settings }: Core): () => Promise<void> {
  const stop = every(
    settings.TB_TRANSPORT_SESSIONS_REPORT_TIMEOUT,
    () => connectivity.flush(),
    clock,
    (error) => logger.error('device activity not reported', { error }),
  );
  return () => {
    stop();
    return connectivity.close();
  };
}

/** Finds devices that have gone silent. Any number of processes may do it. */
export function startConnectivityMonitor({ connectivity, clock, logger, settings }: Core): () => void {
  let stopped = false;
  const stop = every(
    settings.DEFAULT_STATE_CHECK_INTERVAL * 1_000,
    () => connectivity.settle(() => stopped),
    clock,
    (error) => logger.error('inactive devices not looked for', { error }),
  );
  return () => {
    stopped = true;
    stop();
  };
}

/** Does `work` again and again, with a pause of `interval` in between. @returns stops it */
function every(
  interval: Millis,
  work: () => Promise<void>,
  clock: Core['clock'],
  failed: (error: string) => void,
): () => void {
  let stopped = false;
  let timer: Timer;
  const run = async () => {
    try {
      await work();
    } catch (error) {
      if (!stopped) failed(String(error));
    }
    if (!stopped) timer = clock.setTimer(interval, run);
  };
  timer = clock.setTimer(interval, run);
  return () => {
    stopped = true;
    timer.cancel();
  };
}
