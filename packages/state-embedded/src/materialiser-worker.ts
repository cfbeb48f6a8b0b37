import { parentPort, workerData } from 'node:worker_threads';
import { openEnvironment, openViewEnvironment } from './environment';
import { openLog } from './log-environment';
import { materialise } from './materialise';
import type { FromWorker, ToWorker, WorkerData } from './materialiser';
import { consumedSequence } from './telemetry-log';

const { folder, durability, idle } = workerData as WorkerData;
const idleFlag = new Int32Array(idle);
const env = openEnvironment(folder, durability);
const log = openLog(folder, durability);
const view = openViewEnvironment(folder, durability);
let running = false;
let stopping = false;

function step(): void {
  const moved = move();
  if (stopping) {
    Promise.allSettled([env.root.close(), log.root.close(), view.root.close()]).finally(() => parentPort?.close());
  } else if (moved === undefined) {
    running = false;
  } else if (moved > 0) {
    setImmediate(step);
  } else {
    running = false;
    Atomics.store(idleFlag, 0, 1);
    say({ kind: 'idle' });
  }
}

/** @returns how many entries were moved; undefined when it failed */
function move(): number | undefined {
  try {
    const moved = materialise({ env, log, view });
    if (moved > 0) say({ kind: 'consumed', sequence: consumedSequence(view) });
    return moved;
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

function say(message: FromWorker): void {
  parentPort?.postMessage(message);
}

parentPort?.on('message', (message: ToWorker) => {
  if (message === 'stop') stopping = true;
  run();
});
say({ kind: 'ready' });
// A worker before this one may have died between its commit and its word.
say({ kind: 'consumed', sequence: consumedSequence(view) });
