import { parentPort, workerData } from 'node:worker_threads';
import { openEnvironment, openViewEnvironment } from './environment';
import { freeBytes } from './free-space';
import { nameBytes, uuidBytes } from './keys';
import { openLog } from './log-environment';
import { materialise, STEP_LIMITS, type StepResult } from './materialise';
import { progressOf } from './retention';
import { deleteFromSeries, seriesPrefix } from './series-history';
import { Sweeper } from './sweeper';
import { consumedSequence } from './telemetry-log';
import type { DeleteOrder, FromWorker, ToWorker, WatchOrder, WorkerData } from './worker-messages';

/** Milliseconds between two steps while messages keep coming. */
const MIN_PAUSE = 150;
const MAX_PAUSE = 600;

const { folder, durability, minFreeBytes, keysMax, entryMax, retention, retentionInterval, idle } =
  workerData as WorkerData;
const idleFlag = new Int32Array(idle);
const env = openEnvironment(folder, durability);
const log = openLog(folder, durability);
const view = openViewEnvironment(folder, durability);
const watched = new Set<string>();
const limits = { ...STEP_LIMITS, entryBytes: entryMax ?? STEP_LIMITS.entryBytes };
const sweeper = new Sweeper(view, {
  rules: retention,
  interval: retentionInterval,
  onStep: (pass, removed) => say({ kind: 'swept-step', progress: progressOf(pass), ended: pass.ended, removed }),
  onSwept: (requests) => say({ kind: 'swept', requests }),
  onFailure: (error) => say({ kind: 'sweep-failed', error: String(error) }),
});
let running = false;
let stopping = false;
let pause: NodeJS.Timeout | undefined;

function step(): void {
  pause = undefined;
  const begun = performance.now();
  const result = move();
  if (stopping) {
    sweeper.stop();
    Promise.allSettled([env.root.close(), log.root.close(), view.root.close()]).finally(() => parentPort?.close());
  } else if (!result) {
    running = false;
  } else if (result.more) {
    setImmediate(step);
  } else if (result.moved > 0) {
    pause = setTimeout(step, pauseAfter(performance.now() - begun));
  } else {
    running = false;
    Atomics.store(idleFlag, 0, 1);
    say({ kind: 'idle' });
  }
}

/**
 * A step costs by the series it touches, hardly by the entries: while messages keep coming, gathering them is what makes
 * it cheap. Resting four times as long as it worked leaves the machine to those who accept messages.
 */
function pauseAfter(duration: number): number {
  return Math.min(Math.max(MIN_PAUSE, duration * 4), MAX_PAUSE);
}

/** Undefined when the step failed. */
function move(): StepResult | undefined {
  try {
    if (freeBytes(folder) < minFreeBytes) throw new Error('the disk is nearly full');
    const result = materialise({ env, log, view }, keysMax, limits, {
      devices: watched,
      told: (entries) => say({ kind: 'told', entries }),
    });
    for (const [deviceId, values] of result.refused) say({ kind: 'refused', deviceId, values });
    for (const { deviceId, bytes } of result.tooLarge) say({ kind: 'too-large', deviceId, bytes });
    if (result.moved > 0) say({ kind: 'consumed', sequence: consumedSequence(view) });
    return result;
  } catch (error) {
    say({ kind: 'failed', error: String(error) });
    return undefined;
  }
}

function run(): void {
  if (running) return;
  running = true;
  step();
}

/** Between two steps: the next one, and every one after it, tells of the device. */
function watch({ watch: wanted, unwatch, asked }: WatchOrder): void {
  if (unwatch !== undefined) watched.delete(unwatch);
  if (wanted !== undefined) watched.add(wanted);
  if (asked !== undefined) say({ kind: 'asked', asked });
}

/** Between two steps as well. */
function remove({ id, deviceId, key, deletion }: DeleteOrder): void {
  try {
    const device = uuidBytes(deviceId);
    const name = nameBytes(key);
    const series = seriesPrefix(device, key);
    if (name && series) deleteFromSeries(view, series, Buffer.concat([device, name]), deletion);
    say({ kind: 'deleted', id });
  } catch (error) {
    say({ kind: 'deleted', id, error: String(error) });
  }
}

function say(message: FromWorker): void {
  parentPort?.postMessage(message);
}

function obey(order: Exclude<ToWorker, string>): void {
  if (stopping) return;
  if (order.kind === 'watch') watch(order);
  else if (order.kind === 'sweep') sweeper.request(order.requests);
  else remove(order);
}

parentPort?.on('message', (message: ToWorker) => {
  if (typeof message === 'object') return obey(message);
  if (message === 'stop') {
    stopping = true;
    // A step that is due anyway sees it by itself: one after the close would work on closed tables.
    if (pause) running = false;
    clearTimeout(pause);
  }
  if (message === 'hurry' && pause) {
    clearTimeout(pause);
    step();
  }
  run();
});
sweeper.start();
say({ kind: 'ready' });
// A worker before this one may have died between its commit and its word.
say({ kind: 'consumed', sequence: consumedSequence(view) });
