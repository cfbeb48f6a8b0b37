import { anonymousBytesOf, cpuMicrosOf, parseAnonymousBytes, parseCpuMicros } from './process-usage';

describe('what /proc tells about a process', () => {
  it('adds user and system time, also behind a command with spaces and parentheses', () => {
    const stat = '4711 (node (x) y) S 1 2 3 0 -1 4194304 10 20 30 40 123 45 6 7 20 0 11 0 999 1 2\n';
    expect(parseCpuMicros(stat)).toBe(1_680_000);
  });

  it('refuses a line that is no stat line', () => {
    expect(() => parseCpuMicros('nonsense')).toThrow('not a /proc stat line');
  });

  it('takes the anonymous part of the resident memory', () => {
    expect(parseAnonymousBytes('VmRSS:\t   90000 kB\nRssAnon:\t   51200 kB\nRssFile:\t 1 kB\n')).toBe(52_428_800);
  });

  it('says so when the kernel does not tell', () => {
    expect(() => parseAnonymousBytes('VmRSS: 1 kB\n')).toThrow('RssAnon');
  });

  it('reads both of this very process', () => {
    expect(cpuMicrosOf(process.pid)).toBeGreaterThan(0);
    expect(anonymousBytesOf(process.pid)).toBeGreaterThan(1_000_000);
  });
});
