import { writeSync } from 'node:fs';
import type { Logger } from '@tandem/core';
import type { Gateway } from './gateway';
import { makeLogger } from './logger';
import { problemsOf } from './problems';
import { loadSettings } from './settings-file';
import { version } from './version';

/** A stop that takes longer than this is cut off: whoever sent SIGTERM waits 10 s at the most. */
const STOP_DEADLINE = 9_500;

/** `tandem serve`: runs until SIGTERM or SIGINT, also when they come while it starts; any further one changes nothing. */
export async function serve(configFile: string | undefined): Promise<void> {
  const stop = stopSignal();
  let logger: Logger | undefined;
  let gateway: Gateway;
  try {
    const settings = loadSettings(process.env, configFile);
    logger = makeLogger(settings.TANDEM_LOG_LEVEL);
    dieOfTheUnexpected(logger);
    outliveReadersOfOutput();
    // Most of the program: only who serves waits for it to be loaded, and not who looks at settings or has wrong ones.
    const { startGateway } = await import('./gateway.js');
    gateway = await startGateway(settings, logger, stop);
  } catch (error) {
    // It was waiting for its store: there is nothing to save.
    if (logger && error === stop.reason) leave(logger, stop);
    refuse(error);
    return;
  }
  // Since the process began: loading the program is part of the start.
  logger.info('ready', { version: version(), ...gateway.ports, startMillis: Math.round(performance.now()) });
  await aborted(stop);
  logger.info('stopping', signalOf(stop));
  await gateway.stop();
  logger.info('stopped');
  // Whatever still holds the loop has nothing left to save.
  process.exit(0);
}

function leave(logger: Logger, stop: AbortSignal): never {
  logger.info('stopping', signalOf(stop));
  logger.info('stopped');
  process.exit(0);
}

class Stopped extends Error {
  constructor(readonly signal: string) {
    super(signal);
  }
}

const signalOf = ({ reason }: AbortSignal) => ({ signal: reason instanceof Stopped ? reason.signal : undefined });

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** Aborted by the first of the two; from then on the process has until the deadline to end by itself. */
function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  const stop = (signal: string) => {
    if (stopping.signal.aborted) return;
    setTimeout(die, STOP_DEADLINE).unref();
    stopping.abort(new Stopped(signal));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  return stopping.signal;
}

function dieOfTheUnexpected(logger: Logger): void {
  const unexpected = (error: unknown) => {
    logger.error('unexpected error', { error: error instanceof Error ? error.stack : String(error) });
    die();
  };
  process.on('uncaughtException', unexpected);
  process.on('unhandledRejection', unexpected);
}

/** Whoever reads the log may go away before the gateway does: that is no reason to let devices down. */
function outliveReadersOfOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}

/**
 * An exit in order waits for the threads of the store, and one of those may be waiting for us in the middle of a write: the
 * process would hang instead of being started again. The stores bear a kill.
 */
function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** One clear line for each thing in the way. Written at once: the process ends right after. */
function refuse(error: unknown): void {
  for (const problem of problemsOf(error)) writeSync(2, `tandem: ${problem}\n`);
  process.exit(1);
}
