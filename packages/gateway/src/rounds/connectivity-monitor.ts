import type { Core } from '@tandem/core';
import { startRounds } from './rounds';

/** Reports what the doors of this process heard of devices. @returns makes the last report, when the doors are closed */
export function startActivityReports({ connectivity, clock, logger, settings }: Core): () => Promise<void> {
  const stop = startRounds(
    () => connectivity.flush(),
    { interval: settings.TB_TRANSPORT_SESSIONS_REPORT_TIMEOUT, failure: 'device activity not reported' },
    { clock, logger },
  );
  return () => {
    // The last report does not wait for one that hangs.
    void stop();
    return connectivity.close();
  };
}

/** Finds devices that have gone silent. Any number of processes may do it. @returns stops */
export function startConnectivityMonitor({ connectivity, clock, logger, settings }: Core): () => Promise<void> {
  return startRounds(
    (stopped) => connectivity.settle(stopped),
    { interval: settings.DEFAULT_STATE_CHECK_INTERVAL * 1_000, failure: 'inactive devices not looked for' },
    { clock, logger },
  );
}
