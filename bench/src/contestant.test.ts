import { assertAllAnswered, FailedRun } from './contestant';

describe('a run', () => {
  it('counts when every request succeeded', () => {
    expect(() => assertAllAnswered('gateway', { answered: 10, failures: {} })).not.toThrow();
  });

  it('fails with one wrong answer among a million, and says which', () => {
    const run = { answered: 1_000_000, failures: { 'status 503': 1, 'status 401': 2 } };
    expect(() => assertAllAnswered('gateway', run)).toThrow(
      new FailedRun('gateway: not every request succeeded: 1 x status 503, 2 x status 401 (1000000 successes)'),
    );
  });

  it('fails when nothing was answered at all', () => {
    expect(() => assertAllAnswered('gateway', { answered: 0, failures: {} })).toThrow('not one request was answered');
  });
});
