import { type Core, silentLogger } from '@tandem/core';
import { FakeClock } from '@tandem/core/testing';
import { startFinishedRpcSweeper, startRpcSweeper } from './rpc-sweeper';

const soon = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('The sweeper of lapsed commands', () => {
  /** @param found what the sweeps find, one after the other */
  function start(...found: Array<number | Error>) {
    const clock = new FakeClock();
    const logger = { ...silentLogger, error: jest.fn() };
    const sweep = jest.fn(async () => {
      const next = found.shift() ?? 0;
      if (next instanceof Error) throw next;
      return next;
    });
    const stop = startRpcSweeper({ rpcCalls: { sweep }, clock, logger } as unknown as Core);
    const second = async () => {
      clock.advance(1_000);
      await soon();
    };
    return { clock, logger, sweep, stop, second };
  }

  it('sweeps once a second', async () => {
    const { sweep, second } = start();
    expect(sweep).not.toHaveBeenCalled();
    await second();
    await second();
    expect(sweep).toHaveBeenCalledTimes(2);
  });

  it('goes on at once while there is more than it can take at a time', async () => {
    const { sweep, second } = start(1_000, 1_000, 7);
    await second();
    expect(sweep).toHaveBeenCalledTimes(3);
  });

  it('rests when little of what it found could be cleared away', async () => {
    const { sweep, second } = start(999, 499, 0, 0);
    await second();
    expect(sweep).toHaveBeenCalledTimes(2);
    await second();
    expect(sweep).toHaveBeenCalledTimes(3);
  });

  it('tells of a failure that goes on every ten seconds', async () => {
    const { logger, second } = start(...Array.from({ length: 21 }, () => new Error('no store')));
    for (let n = 0; n < 21; n++) await second();
    expect(logger.error).toHaveBeenCalledTimes(3);
  });

  it('goes on after a failure, and tells of it', async () => {
    const { sweep, logger, second } = start(new Error('no store'));
    await second();
    expect(logger.error).toHaveBeenCalledWith('lapsed RPCs not swept', { error: 'Error: no store' });
    await second();
    expect(sweep).toHaveBeenCalledTimes(2);
  });

  it('stops for good, also in the middle of a sweep, and then says nothing', async () => {
    const { clock, sweep, logger, stop } = start(new Error('the store is closed'));
    clock.advance(1_000);
    stop();
    await soon();
    expect(sweep).toHaveBeenCalledTimes(1);
    expect(logger.error).not.toHaveBeenCalled();
    expect(clock.timers).toBe(0);
  });
});

describe('The sweeper of finished commands', () => {
  function start(trim: (stopped: () => boolean) => Promise<void>) {
    const clock = new FakeClock();
    const logger = { ...silentLogger, error: jest.fn() };
    const settings = { SQL_RPC_TTL_CHECKING_INTERVAL: 7_200_000 };
    const stop = startFinishedRpcSweeper({ finishedRpcs: { trim }, clock, logger, settings } as unknown as Core);
    return { clock, logger, stop };
  }

  it('looks soon after the start, then at its interval, and goes on after a failure, of which it tells', async () => {
    const outcomes = [Promise.reject(new Error('no store')), Promise.resolve()];
    const trim = jest.fn(async () => outcomes.shift());
    const { clock, logger } = start(trim);
    for (const [time, looks] of [
      [59_999, 0],
      [1, 1],
      [7_199_999, 1],
      [1, 2],
    ] as const) {
      clock.advance(time);
      await soon();
      expect(trim).toHaveBeenCalledTimes(looks);
    }
    expect(logger.error).toHaveBeenCalledWith('outdated RPCs not removed', { error: 'Error: no store' });
  });

  it('stops for good, also in the middle of a look, and then says nothing', async () => {
    const trim = jest.fn((_stopped: () => boolean) => Promise.reject<void>(new Error('the store is closed')));
    const { clock, logger, stop } = start(trim);
    clock.advance(60_000);
    stop();
    await soon();
    expect(trim.mock.calls[0]?.[0]()).toBe(true);
    expect(logger.error).not.toHaveBeenCalled();
    expect(clock.timers).toBe(0);
  });
});
