import { parseClaim } from './claim-payload';

const claim = (text: string) => parseClaim(Buffer.from(text));

describe('The claim of a device', () => {
  it.each<[string, object]>([
    ['', {}],
    [' \r\n\t', {}],
    ['{}', {}],
    ['{"secretKey":"value","durationMs":60000}', { secretKey: 'value', durationMs: 60_000 }],
    ['{"secretKey":123,"durationMs":"5000"}', { secretKey: '123', durationMs: 5_000 }],
    ['{"secretKey":1.50,"durationMs":1500.9}', { secretKey: '1.50', durationMs: 1_500 }],
    ['{"secretKey":true,"durationMs":"-5"}', { secretKey: 'true', durationMs: -5 }],
    ['{durationMs:1e3}', { durationMs: 1_000 }],
    ['{"durationMs":99999999999999999999}', { durationMs: Number.MAX_SAFE_INTEGER }],
    ['{"durationMs":-99999999999999999999}', { durationMs: -Number.MAX_SAFE_INTEGER }],
    ['{"durationMs":0e999999}', { durationMs: 0 }],
    ['{"other":1}', {}],
  ])('may be %s', (text, expected) => {
    expect(claim(text)).toEqual(expected);
  });

  it.each([
    '[1]',
    '5',
    'null',
    '{bad',
    '{"secretKey":null}',
    '{"secretKey":{}}',
    '{"durationMs":null}',
    '{"durationMs":"1.5"}',
    '{"durationMs":"soon"}',
    '{"durationMs":true}',
  ])('is refused as %s', (text) => {
    expect(() => claim(text)).toThrow(expect.objectContaining({ code: 'BAD_PAYLOAD' }));
  });
});
