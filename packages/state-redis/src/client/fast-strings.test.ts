import { execFileSync } from 'node:child_process';

const report = (code: string): string =>
  execFileSync(process.execPath, ['--allow-natives-syntax', '-e', code], { cwd: __dirname, encoding: 'utf8' }).trim();

const FAST = 'console.log(%HasFastProperties(String.prototype))';

describe('Strings', () => {
  it('are slow where ioredis has been loaded and nobody does anything about it', () => {
    // When this fails, ioredis or V8 has been mended and the function is not needed any more.
    expect(report(`require('ioredis'); ${FAST}`)).toBe('false');
  });

  it('are as fast as ever where the store on Redis has been loaded', () => {
    expect(report(`require('@tandem/state-redis'); ${FAST}`)).toBe('true');
  });
});
