import { oncePerPromise } from './once-per-promise';

it('Who comes with the same promise gets the same outcome, and the step is taken once', async () => {
  let taken = 0;
  const step = oncePerPromise((promise: Promise<number>) => {
    taken++;
    return promise.then((value) => value + 1);
  });
  const [one, other] = [Promise.resolve(1), Promise.resolve(10)];
  expect(await Promise.all([step(one), step(one), step(other), step(other), step(one)])).toEqual([2, 2, 11, 11, 2]);
  expect(taken).toBe(3);
});

it('A failure reaches everybody who came with the promise', async () => {
  const step = oncePerPromise((promise: Promise<number>) => promise.then(String));
  const failed = Promise.reject(new Error('no'));
  const outcomes = await Promise.allSettled([step(failed), step(failed)]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});
