import { die } from './unexpected';

/** A stop that takes longer than this is cut off: whoever sent SIGTERM waits 10 s at the most. */
const STOP_DEADLINE = 9_500;

/** Why a process stops, as the reason of its stop signal. */
export class Stopped extends Error {
  /** @param signal the name of a signal, or what else it was */
  constructor(readonly signal: string) {
    super(signal);
  }
}

/**
 * Aborted by the first of SIGTERM, SIGINT and SIGHUP (Node would die of that one, also where its parent has it ignored); from then on the process has until the deadline to end by itself, and any further one changes
 * nothing.
 */
export function stopSignal(): { readonly signal: AbortSignal; stop(reason: string): void } {
  const stopping = new AbortController();
  const stop = (reason: string) => {
    if (stopping.signal.aborted) return;
    setTimeout(die, STOP_DEADLINE).unref();
    stopping.abort(new Stopped(reason));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', stop);
  return { signal: stopping.signal, stop };
}

/** A field for the log. */
export const signalOf = ({ reason }: AbortSignal) => ({
  signal: reason instanceof Stopped ? reason.signal : undefined,
});

export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
