import { setTimeout as pause } from 'node:timers/promises';
import { take as print } from '../../examples/telemetry-consumer/sink.mjs';

/** Takes its time in the middle of a batch, so that a process is killed there. */
export async function take(messages) {
  const half = Math.floor(messages.length / 2);
  await print(messages.slice(0, half));
  await pause(20);
  await print(messages.slice(half));
}
