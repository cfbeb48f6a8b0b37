import type { Clock, EpochMillis, Millis, Timer } from '../platform/clock';

/** Whatever the store says, a waiter does not look more often than this, nor more seldom. */
const SHORTEST: Millis = 10;
const LONGEST: Millis = 60_000;

/** Calls `look` once, when `at` has come: there may be something then that no wake-up tells of. */
export function lookAgain(clock: Clock, at: EpochMillis, look: () => void): Timer {
  return clock.setTimer(Math.min(Math.max(at - clock.now(), SHORTEST), LONGEST), look);
}
