/** Milliseconds since the Unix epoch, as on every wire of the contract. */
export type EpochMillis = number;
/** A length of time in milliseconds. */
export type Millis = number;

export interface Timer {
  cancel(): void;
}

/** Time as a parameter, so that tests can hold it still and move it by hand. */
export interface Clock {
  now(): EpochMillis;
  /** Monotonic milliseconds: never jumps when the wall clock is set. */
  monotonic(): Millis;
  setTimer(delay: Millis, fire: () => void): Timer;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(delay, fire) {
    const handle = setTimeout(fire, delay);
    return { cancel: () => clearTimeout(handle) };
  },
};
