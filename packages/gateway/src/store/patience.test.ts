import { type Logger, silentLogger, TandemError } from '@tandem/core';
import { FakeClock } from '@tandem/core/testing';
import { Patience } from './patience';

const away = () => new TandemError('STORE_UNAVAILABLE');
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('Patience with a store', () => {
  let clock: FakeClock;
  let stop: AbortController;
  const lines: unknown[] = [];
  const logger: Logger = { ...silentLogger, warn: (_message, fields) => void lines.push(fields?.what) };
  const patience = (endless = true) => new Patience(endless, stop.signal, clock, logger);
  beforeEach(() => {
    clock = new FakeClock();
    stop = new AbortController();
    lines.length = 0;
  });

  /** Fails so often, then succeeds. */
  const failing = (times: number) => {
    let left = times;
    return async () => {
      if (left-- > 0) throw away();
      return 'done';
    };
  };

  it('takes a step again until it is answered, and says so once', async () => {
    const outcome = patience().with('a step', failing(3));
    for (let i = 0; i < 3; i++) {
      await turn();
      expect(clock.timers).toBe(1);
      clock.advance(500);
    }
    expect(await outcome).toBe('done');
    expect(lines).toEqual(['a step']);
  });

  it('ends with any other failure, and where nobody has any, with the first one', async () => {
    await expect(patience().with('x', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await expect(patience(false).with('x', failing(1))).rejects.toThrow('does not answer');
    expect(clock.timers).toBe(0);
  });

  it('ends when the process is told to stop', async () => {
    const outcome = patience().with('x', failing(9));
    await turn();
    stop.abort(new Error('stop'));
    await expect(outcome).rejects.toThrow('stop');
    await expect(patience().with('x', failing(9))).rejects.toThrow('stop');
    expect(clock.timers).toBe(0);
  });
});
