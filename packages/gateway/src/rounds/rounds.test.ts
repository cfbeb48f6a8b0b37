import { silentLogger } from '@tandem/core';
import { FakeClock } from '@tandem/core/testing';
import { startRounds } from './rounds';

const soon = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('Rounds', () => {
  it('that are stopped are over only when the one under way is, and no other begins', async () => {
    const clock = new FakeClock();
    let finish = () => {};
    const seen: boolean[] = [];
    const round = async (stopped: () => boolean) => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      seen.push(stopped());
    };
    const stop = startRounds(round, { interval: 10, failure: 'f' }, { clock, logger: silentLogger });
    clock.advance(10);
    const over = jest.fn();
    const stopping = stop().then(over);
    await soon();
    expect(over).not.toHaveBeenCalled();
    finish();
    await stopping;
    clock.advance(1_000);
    expect([seen, clock.timers]).toEqual([[true], 0]);
  });

  it('that fail again and again are told of now and then', async () => {
    const clock = new FakeClock();
    const logger = { ...silentLogger, error: jest.fn() };
    const round = () => Promise.reject(new Error('no store'));
    startRounds(round, { interval: 1_000, first: 0, failure: 'not done', saidEvery: 5_000 }, { clock, logger });
    for (let n = 0; n < 11; n++) {
      clock.advance(n === 0 ? 0 : 1_000);
      await soon();
    }
    expect(logger.error.mock.calls.map(([message]) => message)).toEqual(['not done', 'not done', 'not done']);
  });
});
