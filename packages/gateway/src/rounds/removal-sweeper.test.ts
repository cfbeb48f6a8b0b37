import { FakeClock } from '@tandem/core/testing';
import { startRemovalSweeper } from './removal-sweeper';

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('The sweep of what deleted tenants and customers had', () => {
  it('happens at the start and once a minute, whatever it runs into, until it is stopped', async () => {
    const clock = new FakeClock();
    const said: string[] = [];
    const log = (message: string) => void said.push(message);
    const logger = { error: log, warn: log, info: log, debug: log, debugEnabled: false };
    let sweeps = 0;
    const resume = async () => {
      sweeps++;
      if (sweeps === 2) throw new Error('the store is away');
    };
    const stop = startRemovalSweeper({ removals: { resume }, clock, logger });
    for (const [advance, expected] of [
      [0, 1],
      [59_999, 1],
      [1, 2],
      [60_000, 3],
    ] as const) {
      clock.advance(advance);
      await settled();
      expect(sweeps).toBe(expected);
    }
    expect(said).toEqual(['what was deleted cannot be looked for']);
    stop();
    clock.advance(600_000);
    await settled();
    expect([sweeps, clock.timers]).toEqual([3, 0]);
  });
});
