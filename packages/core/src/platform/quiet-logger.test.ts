import { FakeClock } from '../testing/fake-clock';
import type { LogFields, Logger } from './logger';
import { quietLogger } from './quiet-logger';

describe('A quiet logger', () => {
  const clock = new FakeClock();
  const lines: [string, string, LogFields | undefined][] = [];
  const write = (level: string) => (message: string, fields?: LogFields) => void lines.push([level, message, fields]);
  const loud: Logger = {
    error: write('error'),
    warn: write('warn'),
    info: write('info'),
    debug: write('debug'),
    debugEnabled: true,
  };

  it('writes a line once in the interval, and then says how many it kept back', () => {
    const quiet = quietLogger(loud, clock, 10_000);
    for (let n = 0; n < 5; n++) quiet.error('away', { n });
    quiet.error('else', { n: 1 });
    quiet.warn('away');
    clock.advance(9_999);
    quiet.error('away', { n: 5 });
    clock.advance(1);
    quiet.error('away', { n: 6 });
    clock.advance(10_000);
    quiet.error('away', { n: 7 });
    expect(lines).toEqual([
      ['error', 'away', { n: 0 }],
      ['error', 'else', { n: 1 }],
      ['warn', 'away', {}],
      ['error', 'away', { n: 6, suppressed: 5 }],
      ['error', 'away', { n: 7 }],
    ]);
    expect(quiet.debugEnabled).toBe(true);
  });
});
