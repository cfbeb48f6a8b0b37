import { payloadLimitOf, payloadLimits } from './payload-limits';

const setting = payloadLimits('/api/v1/*/rpc/**=65536;/api/v1/**=52428800', 'doc');
const limitOf = (text: string, path: string) => payloadLimitOf(setting.parse(text), path);

describe('Payload limits by path', () => {
  it('are those of the first pattern that fits', () => {
    const limits = setting.default;
    expect(limitOf(limits, '/api/v1/token/rpc')).toBe(65_536);
    expect(limitOf(limits, '/api/v1/token/rpc/12')).toBe(65_536);
    expect(limitOf(limits, '/api/v1/token/rpc/12/x')).toBe(65_536);
    expect(limitOf(limits, '/api/v1/token/rpcs')).toBe(52_428_800);
    expect(limitOf(limits, '/api/v1/token/telemetry')).toBe(52_428_800);
    expect(limitOf(limits, '/api/v1/a/b/rpc')).toBe(52_428_800);
    expect(limitOf(limits, '/api/v1')).toBe(52_428_800);
    expect(limitOf(limits, '/api/v2/token/rpc')).toBeUndefined();
  });

  it('take a star for one segment or a part of it, two stars for any number', () => {
    expect(limitOf('/a/*=1', '/a/b')).toBe(1);
    expect(limitOf('/a/*=1', '/a/b/c')).toBeUndefined();
    expect(limitOf('/a/x*y=1', '/a/x--y')).toBe(1);
    expect(limitOf('/a/**/z=1', '/a/z')).toBe(1);
    expect(limitOf('/a/**/z=1', '/a/b/c/z')).toBe(1);
    expect(limitOf('/**=1', '/')).toBe(1);
  });

  it('take everything else literally', () => {
    expect(limitOf('/a.b/(c)=1', '/a.b/(c)')).toBe(1);
    expect(limitOf('/a.b=1', '/aXb')).toBeUndefined();
    expect(limitOf('/a=b=7', '/a=b')).toBe(7);
  });

  it.each(['/a', '/a=', '/a=-1', '/a=1k', 'a=1', '=1', '/a=1;b'])('do not understand %s', (text) => {
    expect(() => setting.parse(text)).toThrow(/^must look like /);
  });
});
