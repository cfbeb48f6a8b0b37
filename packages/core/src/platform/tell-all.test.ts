import { silentLogger } from './logger';
import { tellAll } from './tell-all';

describe('Listeners that are told', () => {
  const errors: unknown[] = [];
  const logger = { ...silentLogger, error: (message: string, fields?: object) => void errors.push([message, fields]) };

  it('all hear it though one throws, whose fault is logged', () => {
    const heard: string[] = [];
    const listeners = new Set([
      (word: string) => void heard.push(`first ${word}`),
      () => {
        throw new Error('not my day');
      },
      (word: string) => void heard.push(`last ${word}`),
    ]);
    tellAll(listeners, 'news', logger);
    expect(heard).toEqual(['first news', 'last news']);
    expect(errors).toEqual([['a listener failed', { error: expect.stringContaining('not my day') }]]);
  });

  it('may leave, take others along and bring others while they are told', () => {
    const heard: string[] = [];
    const listeners = new Set<() => void>();
    const other = () => void heard.push('other');
    const late = () => void heard.push('late');
    const first = () => {
      heard.push('first');
      listeners.delete(first);
      listeners.delete(other);
      listeners.add(late);
    };
    for (const listener of [first, other]) listeners.add(listener);
    tellAll(listeners, undefined, logger);
    expect(heard).toEqual(['first']);
  });
});
