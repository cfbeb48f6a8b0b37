import { parentPort, workerData } from 'node:worker_threads';
import { type LogFields, type Logger, type Millis, quietLogger, silentLogger, systemClock } from '@tandem/core';
import { Commands, closeClient, openClient } from '../client';
import { Keys } from '../keys';
import { DeviceBirths } from '../registry/device-births';
import { RegistryReader } from '../registry/reader';
import { Leases } from './leases';
import { Retention } from './retention';
import { type StepResult, Steps } from './steps';
import { FOREIGN_KEY_INTERVAL, ViewWriter } from './view-writer';
import type { FromWorker, ToWorker, WorkerData } from './worker-messages';

/** Rest between two steps while there is a lot to do. */
const MIN_PAUSE: Millis = 20;
const MAX_PAUSE: Millis = 600;
/** How often is looked while there is nothing: what other processes append is told to nobody. */
const FIRST_LOOK: Millis = 100;
const LAST_LOOK: Millis = 500;

const data = workerData as WorkerData;
const idleFlag = new Int32Array(data.idle);
let stopping = false;
let hurried = false;
let retention: Retention | undefined;
/** Cuts the rest short; undefined while a step runs. */
let rise: (() => void) | undefined;

const say = (message: FromWorker): void => parentPort?.postMessage(message);
const line =
  (level: 'error' | 'warn' | 'info') =>
  (message: string, fields: LogFields = {}): void =>
    say({ kind: 'log', level, message, fields });
const logger: Logger = { ...silentLogger, error: line('error'), warn: line('warn'), info: line('info') };

/**
 * A step costs by the devices it touches more than by the entries: while messages keep coming, gathering them is what makes
 * it cheap. Resting four times as long as it worked leaves the machine, and Redis, to those who accept messages.
 */
const pauseAfter = (duration: Millis): Millis => Math.min(Math.max(MIN_PAUSE, duration * 4), MAX_PAUSE);

async function run(): Promise<void> {
  const client = openClient(data.connection, logger);
  const { bounds } = data;
  const quiet = quietLogger(logger, systemClock, FOREIGN_KEY_INTERVAL);
  const commands = new Commands(client, client, { ...bounds, logger: quiet });
  const keys = new Keys(bounds.prefix);
  const births = new DeviceBirths(commands, keys, new RegistryReader(commands, keys));
  const publish = data.connection.cluster ? 'SPUBLISH' : 'PUBLISH';
  const view = new ViewWriter(commands, keys, births, bounds, publish, logger, (deviceId, values) =>
    say({ kind: 'refused', deviceId, values }),
  );
  retention = new Retention(commands, keys, { ...data, say, logger, quiet });
  const sweeping = retention.run();
  const leases = new Leases(commands, keys, data.processId, data.lease, quiet);
  const steps = new Steps(commands, keys, leases, view, data, say, logger, quiet);
  let look = FIRST_LOOK;
  while (!stopping) {
    const begun = performance.now();
    const result = await steps.step();
    look = result.moved > 0 ? FIRST_LOOK : Math.min(look * 1.5, LAST_LOOK);
    await restAfter(result, performance.now() - begun, look);
  }
  retention.stop();
  await sweeping;
  await steps.leave();
  await closeClient(client);
}

async function restAfter({ moved, more }: StepResult, duration: Millis, look: Millis): Promise<void> {
  const urgent = hurried;
  hurried = false;
  if (stopping || more || (urgent && moved > 0)) return;
  if (moved > 0) return rest(pauseAfter(duration));
  Atomics.store(idleFlag, 0, 1);
  await rest(look);
  Atomics.store(idleFlag, 0, 0);
}

function rest(duration: Millis): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => rise?.(), duration);
    rise = () => {
      clearTimeout(timer);
      rise = undefined;
      resolve();
    };
  });
}

parentPort?.on('message', (message: ToWorker) => {
  if (message === 'sweep') return retention?.hurry();
  if (message === 'stop') stopping = true;
  if (message === 'hurry') hurried = true;
  rise?.();
});
say({ kind: 'ready' });
run().then(
  () => parentPort?.close(),
  (error: unknown) => {
    // Ends the thread, which is then started again.
    throw error;
  },
);
