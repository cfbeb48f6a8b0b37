import type { Logger } from '@tandem/core';

export function dieOfTheUnexpected(logger: Logger): void {
  const unexpected = (error: unknown) => {
    logger.error('unexpected error', { error: error instanceof Error ? error.stack : String(error) });
    die();
  };
  process.on('uncaughtException', unexpected);
  process.on('unhandledRejection', unexpected);
}

/** Whoever reads the log may go away before the gateway does: that is no reason to let devices down. */
export function outliveReadersOfOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}

/**
 * An exit in order waits for the threads of the store, and one of those may be waiting for us in the middle of a write: the
 * process would hang instead of being started again. The stores bear a kill.
 */
export function die(): void {
  process.kill(process.pid, 'SIGKILL');
}
