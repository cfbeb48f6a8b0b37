import { parentPort, workerData } from 'node:worker_threads';
import { openEnvironment, openViewEnvironment } from './environment';
import { freeBytes } from './free-space';
import { openLog } from './log-environment';
import { materialise, STEP_LIMITS, type StepResult } from './materialise';
import type { FromWorker, ToWorker, WorkerData } from './materialiser';
import { consumedSequence } from './telemetry-log';

/** Milliseconds between two steps while messages keep coming. */
const MIN_PAUSE = 150;
const MAX_PAUSE = 600;

const { folder, durability, minFreeBytes, idle } = workerData as WorkerData;
const idleFlag = new Int32Array(idle);
const env = openEnvironment(folder, durability);
const log = openLog(folder, durability);
const view = openViewEnvironment(folder, durability);
const watched = new Set<string>();
let running = false;
let stopping = false;
let pause: NodeJS.Timeout | undefined;

function step(): void {
  pause = undefined;
  const begun = performance.now();
  const result = move();
  if (stopping) {
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
    const result = materialise({ env, log, view }, STEP_LIMITS, {
      devices: watched,
      told: (entries) => say({ kind: 'told', entries }),
    });
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
function watch({ watch: wanted, unwatch, asked }: Exclude<ToWorker, string>): void {
  if (unwatch !== undefined) watched.delete(unwatch);
  if (wanted !== undefined) watched.add(wanted);
  if (asked !== undefined) say({ kind: 'asked', asked });
}

function say(message: FromWorker): void {
  parentPort?.postMessage(message);
}

parentPort?.on('message', (message: ToWorker) => {
  if (typeof message === 'object') return watch(message);
  if (message === 'stop') {
    stopping = true;
    // A step that is due anyway sees it by itself: one after the close would work on closed tables.
    if (pause) running = false;
    clearTimeout(pause);
  }
  run();
});
say({ kind: 'ready' });
// A worker before this one may have died between its commit and its word.
say({ kind: 'consumed', sequence: consumedSequence(view) });
