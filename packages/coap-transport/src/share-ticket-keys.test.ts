import type { Core } from '@tandem/core';
import { FakeClock } from '@tandem/core/testing';
import { shareTicketKeys } from './share-ticket-keys';

/** A store whose secret, or failure, is what the test says. */
function store() {
  let reset = () => {};
  const state = { answer: Buffer.from('first') as Buffer | Error, asked: 0, listening: 0 };
  const clock = new FakeClock();
  const warnings: string[] = [];
  const used: string[] = [];
  const core = {
    clock,
    logger: { warn: (message: string) => void warnings.push(message) },
    state: {
      secret: async (name: string) => {
        state.asked++;
        expect(name).toBe('dtls');
        if (state.answer instanceof Error) throw state.answer;
        return state.answer;
      },
      onReset: (listener: () => void) => {
        reset = listener;
        state.listening++;
        return () => state.listening--;
      },
    },
  } as unknown as Core;
  const share = () => shareTicketKeys(core, { use: (secret) => void used.push(secret.toString()) });
  return { state, clock, warnings, used, share, reset: () => reset() };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('The secret that tickets are sealed with', () => {
  it('is the one of the store, and another once the store has lost everything', async () => {
    const { state, used, share, reset } = store();
    const sharing = await share();
    state.answer = Buffer.from('second');
    reset();
    await settled();
    expect(used).toEqual(['first', 'second']);
    sharing.stop();
    expect(state.listening).toBe(0);
  });

  it('is asked for again when the store does not answer, and the start does not wait for it', async () => {
    const { state, clock, warnings, used, share } = store();
    state.answer = new Error('away');
    const sharing = await share();
    expect([used, warnings.length]).toEqual([[], 1]);
    clock.advance(5_000);
    await settled();
    state.answer = Buffer.from('back');
    clock.advance(5_000);
    await settled();
    expect([used, state.asked, clock.timers]).toEqual([['back'], 3, 0]);
    sharing.stop();
  });

  it('is not asked for any more after the end', async () => {
    const { state, clock, used, share } = store();
    state.answer = new Error('away');
    const sharing = await share();
    sharing.stop();
    clock.advance(60_000);
    await settled();
    expect([used, state.asked, clock.timers]).toEqual([[], 1, 0]);
  });
});
