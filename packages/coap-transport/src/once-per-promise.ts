/**
 * A step behind a promise that is taken once for all who come with the same promise one after the other: telemetry that
 * is committed together shares its promise, and so everything up to the answer.
 */
export function oncePerPromise<T, U>(step: (promise: Promise<T>) => Promise<U>): (promise: Promise<T>) => Promise<U> {
  let last: Promise<T> | undefined;
  let result: Promise<U> | undefined;
  return (promise) => {
    if (result !== undefined && promise === last) return result;
    last = promise;
    result = step(promise);
    return result;
  };
}
