import { type Logger, silentLogger } from '@tandem/core';
import { FakeClock } from '@tandem/core/testing';
import { Shutdown } from './shutdown';

describe('The shutdown', () => {
  const clock = new FakeClock();
  const soon = () => new Promise<void>((resolve) => setImmediate(resolve));

  it('ends first who waits, then the doors, and what the others need last, backwards', async () => {
    const shutdown = new Shutdown(silentLogger, clock);
    const done: string[] = [];
    const step = (name: string) => async () => {
      await soon();
      done.push(name);
    };
    shutdown.last('store', step('store'));
    shutdown.last('metrics', step('metrics'));
    shutdown.sockets('HTTP', step('HTTP'));
    shutdown.first('polls', step('polls'));
    expect(shutdown.begun).toBe(false);
    const run = shutdown.run();
    expect(shutdown.begun).toBe(true);
    await run;
    expect(done).toEqual(['polls', 'HTTP', 'metrics', 'store']);
    expect(clock.timers).toBe(0);
  });

  it('tells the doors how much of their time is over', async () => {
    const shutdown = new Shutdown(silentLogger, clock);
    const close = jest.fn();
    shutdown.first('polls', () => new Promise((resolve) => void clock.setTimer(300, resolve)));
    shutdown.sockets('HTTP', close);
    clock.advance(5_000);
    const run = shutdown.run();
    clock.advance(300);
    await run;
    expect(close).toHaveBeenCalledWith(300);
    expect(clock.timers).toBe(0);
  });

  it('happens once, however often it is asked for', async () => {
    const shutdown = new Shutdown(silentLogger, clock);
    const close = jest.fn();
    shutdown.sockets('HTTP', close);
    await Promise.all([shutdown.run(), shutdown.run()]);
    await shutdown.run();
    expect(close).toHaveBeenCalledTimes(1);
  });

  it('goes on after a part that fails, and says which', async () => {
    const lines: unknown[] = [];
    const logger: Logger = { ...silentLogger, error: (message, fields) => void lines.push([message, fields]) };
    const shutdown = new Shutdown(logger, clock);
    const close = jest.fn();
    shutdown.first('polls', () => {
      throw new Error('no');
    });
    shutdown.sockets('HTTP', () => Promise.reject(new Error('neither')));
    shutdown.last('store', close);
    await shutdown.run();
    expect(close).toHaveBeenCalledTimes(1);
    expect(lines).toEqual([
      ['part did not close', { part: 'polls', error: 'Error: no' }],
      ['part did not close', { part: 'HTTP', error: 'Error: neither' }],
    ]);
  });

  it('goes on after its time where a part has one', async () => {
    const shutdown = new Shutdown(silentLogger, clock);
    const close = jest.fn();
    shutdown.last('store', close);
    shutdown.last('report', () => new Promise(() => {}), 500);
    const run = shutdown.run();
    await soon();
    await soon();
    expect(close).not.toHaveBeenCalled();
    clock.advance(500);
    await run;
    expect(close).toHaveBeenCalledTimes(1);
    expect(clock.timers).toBe(0);
  });

  it('does not wait for ever for those who wait: their connections can still be cut', async () => {
    const shutdown = new Shutdown(silentLogger, clock);
    const cut = jest.fn();
    shutdown.first('server API', () => new Promise(() => {}));
    shutdown.sockets('HTTP', cut);
    const run = shutdown.run();
    clock.advance(1_999);
    await soon();
    expect(cut).not.toHaveBeenCalled();
    clock.advance(1);
    await run;
    expect(cut).toHaveBeenCalledTimes(1);
  });
});
