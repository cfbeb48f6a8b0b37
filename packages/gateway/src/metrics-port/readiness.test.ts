import { type State, TandemError } from '@tandem/core';
import { FakeClock } from '@tandem/core/testing';
import { Readiness } from './readiness';

describe('Whether a process is ready', () => {
  let clock: FakeClock;
  let stopping: boolean;
  let readiness: Readiness;
  beforeEach(() => {
    clock = new FakeClock();
    stopping = false;
    readiness = new Readiness(['http', 'api'], clock, () => stopping);
  });
  /** A store that answers so. */
  const store = (ping: () => Promise<void>) => ({ ping }) as State;

  it('it says what it waits for', async () => {
    const starting = ['http is starting', 'api is starting'];
    expect(await readiness.notReady()).toEqual([...starting, 'the store is being opened']);
    readiness.waiting('h:1 refuses the connection');
    expect(await readiness.notReady()).toEqual([...starting, 'the store does not answer: h:1 refuses the connection']);
    readiness.opened(store(async () => {}));
    expect(await readiness.notReady()).toEqual(starting);
    readiness.started();
    expect(await readiness.notReady()).toEqual([]);
    expect(clock.timers).toBe(0);
  });

  it('it says so when the store fails, or takes too long', async () => {
    readiness.started();
    readiness.opened(store(() => Promise.reject(new Error('no'))));
    expect(await readiness.notReady()).toEqual(['the store does not take writes: no']);
    const full = new TandemError('STORE_UNAVAILABLE', { cause: new Error('OOM command not allowed') });
    readiness.opened(store(() => Promise.reject(full)));
    expect(await readiness.notReady()).toEqual(['the store does not take writes: OOM command not allowed']);
    readiness.opened(store(() => new Promise(() => {})));
    const answer = readiness.notReady();
    clock.advance(2_000);
    expect(await answer).toEqual(['the store does not answer']);
    expect(clock.timers).toBe(0);
  });

  it('it says that it stops, whatever the store does', async () => {
    readiness.started();
    readiness.opened(store(() => new Promise(() => {})));
    stopping = true;
    expect(await readiness.notReady()).toEqual(['shutting down']);
  });
});
