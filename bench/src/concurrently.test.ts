import { concurrently } from './concurrently';

describe('tasks that run concurrently', () => {
  it('run once for each item, never more at once than allowed', async () => {
    const done: string[] = [];
    let running = 0;
    let most = 0;
    await concurrently(['a', 'b', 'c', 'd', 'e'], 2, async (item, index) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      running -= 1;
      done.push(`${item}${index}`);
    });
    expect(done.sort()).toEqual(['a0', 'b1', 'c2', 'd3', 'e4']);
    expect(most).toBe(2);
  });

  it('end with the first failure: what is under way ends before, and nothing is begun after it', async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    const run = concurrently([1, 2, 3, 4, 5, 6], 2, async (item) => {
      begun.push(item);
      if (item === 2) throw new Error('two is broken');
      await new Promise(setImmediate);
      ended.push(item);
    });
    await expect(run).rejects.toThrow('two is broken');
    expect(begun).toEqual([1, 2]);
    expect(ended).toEqual([1]);
  });

  it('are none for no items', async () => {
    await expect(concurrently([], 4, () => Promise.reject(new Error('called')))).resolves.toBeUndefined();
  });
});
