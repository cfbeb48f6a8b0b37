import { setTimeout as delay } from 'node:timers/promises';
import { cpuMicrosOf } from './process-usage';

const STEP_MS = 200;
/** Two ticks of the kernel's clock in 200 ms: what timers of an idle process may use. */
const IDLE_MICROS_PER_STEP = 20_000;
const IDLE_STEPS = 3;
const LIMIT_MS = 30_000;

/**
 * Waits until a process has finished what it put off under load (materialising, flushing, collecting), so that this
 * work is on its own account and not in the next server's round. Returns false when it still works after 30 s.
 */
export async function untilQuiet(pid: number): Promise<boolean> {
  let idleSteps = 0;
  let before = cpuMicrosOf(pid);
  for (let waited = 0; waited < LIMIT_MS; waited += STEP_MS) {
    await delay(STEP_MS);
    const after = cpuMicrosOf(pid);
    idleSteps = after - before <= IDLE_MICROS_PER_STEP ? idleSteps + 1 : 0;
    before = after;
    if (idleSteps >= IDLE_STEPS) {
      return true;
    }
  }
  return false;
}
