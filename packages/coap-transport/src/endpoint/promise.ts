/** Whether an answer is still to come; a thenable of somebody else's making counts. */
export function isPromise<T>(answer: T | Promise<T>): answer is Promise<T> {
  return answer instanceof Promise || typeof (answer as { then?: unknown } | undefined)?.then === 'function';
}
