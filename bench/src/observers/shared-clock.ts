/** Microseconds on a clock that all processes of a machine share (CLOCK_MONOTONIC). */
export function sharedMicros(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
