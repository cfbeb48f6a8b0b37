import { writeSync } from 'node:fs';
import { type Logger, readSettings } from '@tandem/core';
import type { Gateway } from './gateway';
import { makeLogger } from './logging/logger';
import { problemsOf } from './logging/problems';
import { settingsSources } from './settings/settings-file';
import { aborted, signalOf, stopSignal } from './shutdown/stop-signal';
import { dieOfTheUnexpected, outliveReadersOfOutput } from './shutdown/unexpected';
import { version } from './version';
import { howManyWorkers } from './workers/how-many';

/** `tandem serve`: runs until SIGTERM, SIGINT or SIGHUP, also when they come while it starts; any further one changes nothing. */
export async function serve(configFile: string | undefined): Promise<void> {
  const { signal: stop } = stopSignal();
  let logger: Logger | undefined;
  let gateway: Gateway;
  try {
    const sources = settingsSources(process.env, configFile);
    const settings = readSettings(sources.environment, sources.file);
    logger = makeLogger(settings.TANDEM_LOG_LEVEL);
    dieOfTheUnexpected(logger);
    outliveReadersOfOutput();
    if (howManyWorkers(settings) > 1) {
      const { startWorkers } = await import('./workers/start-workers.js');
      gateway = await startWorkers({ settings, sources, logger, stop });
    } else {
      // Most of the program: only who serves waits for it to be loaded, and not who looks at settings or has wrong ones.
      const { startGateway } = await import('./gateway.js');
      gateway = await startGateway(settings, logger, stop);
    }
  } catch (error) {
    // It was waiting for its store: there is nothing to save.
    if (logger && error === stop.reason) leave(logger, stop);
    refuse(error);
    return;
  }
  // Since the process began: loading the program is part of the start.
  const { ports, workers } = gateway;
  logger.info('ready', { version: version(), ...ports, workers, startMillis: Math.round(performance.now()) });
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

/** One clear line for each thing in the way. Written at once: the process ends right after. */
function refuse(error: unknown): void {
  for (const problem of problemsOf(error)) writeSync(2, `tandem: ${problem}\n`);
  process.exit(1);
}
