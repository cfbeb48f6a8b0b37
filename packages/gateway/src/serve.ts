import { writeSync } from 'node:fs';
import { type Logger, SettingsError } from '@tandem/core';
import { type Gateway, startGateway } from './gateway';
import { makeLogger } from './logger';
import { loadSettings } from './settings-file';
import { version } from './version';

/** A stop that takes longer than this is cut off: whoever sent SIGTERM waits 10 s at the most. */
const STOP_DEADLINE = 9_500;

/** `tandem serve`: runs until SIGTERM or SIGINT. */
export async function serve(configFile: string | undefined): Promise<void> {
  const begun = performance.now();
  let logger: Logger;
  let gateway: Gateway;
  try {
    const settings = loadSettings(process.env, configFile);
    logger = makeLogger(settings.TANDEM_LOG_LEVEL);
    gateway = await startGateway(settings, logger);
  } catch (error) {
    refuse(error);
    return;
  }
  logger.info('ready', { version: version(), ...gateway.ports, startMillis: Math.round(performance.now() - begun) });
  const stop = (signal: string) => {
    logger.info('stopping', { signal });
    setTimeout(() => process.exit(1), STOP_DEADLINE).unref();
    gateway.stop().then(() => {
      logger.info('stopped');
      process.exitCode = 0;
      // Whatever still holds the loop has nothing left to save.
      setImmediate(() => process.exit());
    });
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  const die = (error: unknown) => {
    logger.error('unexpected error', { error: error instanceof Error ? error.stack : String(error) });
    process.exit(1);
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
}

/** One clear line for each thing in the way. Written at once: the process ends right after. */
function refuse(error: unknown): void {
  const problems =
    error instanceof SettingsError ? error.problems : [error instanceof Error ? error.message : String(error)];
  for (const problem of problems) writeSync(2, `tandem: ${problem}\n`);
  process.exit(1);
}
