import { silentLogger } from '@tandem/core';
import { FakeClock } from '@tandem/core/testing';
import { Reviews } from './reviews';

describe('Rights that are looked at again', () => {
  const clock = new FakeClock();
  const settled = () => new Promise(setImmediate);

  it('are asked for until somebody can say, after a pause each time', async () => {
    const reviews = new Reviews(clock, silentLogger);
    const answers = [false, false, true];
    let asked = 0;
    reviews.add([{ review: async () => answers[asked++] ?? true }]);
    const seen: number[][] = [];
    for (let n = 0; n < 4; n++) {
      await settled();
      seen.push([asked, reviews.due]);
      clock.advance(2_000);
    }
    expect(seen).toEqual([
      [1, 1],
      [2, 1],
      [3, 0],
      [3, 0],
    ]);
  });

  it('of others are not forgotten for one that fails, nor for those that take long', async () => {
    const reviews = new Reviews(clock, silentLogger);
    let asked = 0;
    reviews.add([{ review: () => new Promise<never>(() => {}) }]);
    const failing = { review: () => Promise.reject(new Error('not my day')) };
    const fine = { review: async () => ++asked > 0 };
    for (let n = 1; n <= 40; n++) {
      reviews.add([failing, fine]);
      await settled();
      expect([asked, reviews.due]).toEqual([n, 1]);
    }
    reviews.clear();
    expect(reviews.due).toBe(0);
  });
});
