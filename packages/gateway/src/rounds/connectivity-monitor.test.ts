import { type Core, silentLogger } from '@tandem/core';
import { FakeClock } from '@tandem/core/testing';
import { startActivityReports, startConnectivityMonitor } from './connectivity-monitor';

const soon = () => new Promise<void>((resolve) => setImmediate(resolve));

function aCore(connectivity: Partial<Core['connectivity']>) {
  const clock = new FakeClock();
  const logger = { ...silentLogger, error: jest.fn() };
  const settings = { TB_TRANSPORT_SESSIONS_REPORT_TIMEOUT: 3_000, DEFAULT_STATE_CHECK_INTERVAL: 60 };
  return { clock, logger, core: { clock, logger, settings, connectivity } as unknown as Core };
}

describe('The reports of activity', () => {
  it('are made every few seconds, and a last time when the doors are closed', async () => {
    const flush = jest.fn(async () => {});
    const close = jest.fn(async () => {});
    const { clock, core } = aCore({ flush, close });
    const stop = startActivityReports(core);
    for (let seconds = 0; seconds < 9; seconds += 3) {
      clock.advance(3_000);
      await soon();
    }
    expect(flush).toHaveBeenCalledTimes(3);
    await stop();
    expect(close).toHaveBeenCalledTimes(1);
    expect(clock.timers).toBe(0);
  });
});

describe('The monitor of connectivity', () => {
  it('looks once a minute, goes on after a failure and tells of it', async () => {
    const settle = jest.fn(async () => {
      if (settle.mock.calls.length === 1) throw new Error('no store');
    });
    const { clock, core, logger } = aCore({ settle });
    startConnectivityMonitor(core);
    for (let minutes = 0; minutes < 2; minutes++) {
      clock.advance(60_000);
      await soon();
    }
    expect(settle).toHaveBeenCalledTimes(2);
    expect(logger.error).toHaveBeenCalledWith('inactive devices not looked for', { error: 'Error: no store' });
  });

  it('stops for good, also in the middle of a look, and then says nothing', async () => {
    const settle = jest.fn((_stopped: () => boolean) => Promise.reject<void>(new Error('the store is closed')));
    const { clock, core, logger } = aCore({ settle });
    const stop = startConnectivityMonitor(core);
    clock.advance(60_000);
    stop();
    await soon();
    expect(settle.mock.calls[0]?.[0]?.()).toBe(true);
    expect(logger.error).not.toHaveBeenCalled();
    expect(clock.timers).toBe(0);
  });
});
