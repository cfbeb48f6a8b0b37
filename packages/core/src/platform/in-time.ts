import { TandemError } from '../errors';
import type { Clock, Millis } from './clock';

/**
 * What the store answers, if it does by then.
 * @param answerBy monotonic; what comes later is not waited for
 * @throws TandemError STORE_UNAVAILABLE, and what the answer is rejected with
 */
export function inTime<T>(answer: Promise<T>, answerBy: Millis, clock: Clock): Promise<T> {
  return new Promise((resolve, reject) => {
    const patience = Math.max(Math.ceil(answerBy - clock.monotonic()), 0);
    const timer = clock.setTimer(patience, () => reject(new TandemError('STORE_UNAVAILABLE')));
    answer.then(resolve, reject).finally(() => timer.cancel());
  });
}
