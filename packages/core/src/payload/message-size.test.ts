import { MessageSize } from './message-size';
import { stringValue, trustedValue } from './value';

const size = new MessageSize(100);
const TOO_LARGE = expect.objectContaining({ code: 'PAYLOAD_TOO_LARGE' });

describe('The size of a message', () => {
  it.each([
    ['nothing', ''],
    ['ASCII to the last byte', 'a'.repeat(100)],
    ['characters of three bytes', '€'.repeat(33)],
    ['characters of four bytes', '😀'.repeat(25)],
  ])('takes %s', (_what, text) => {
    expect(() => size.check(text)).not.toThrow();
    expect(() => size.checkAll([{ key: '', value: trustedValue(text) }])).not.toThrow();
  });

  it.each([
    ['one byte more', 'a'.repeat(101)],
    ['characters of three bytes', '€'.repeat(34)],
    ['characters of four bytes', '😀'.repeat(26)],
    ['control characters that became six each', stringValue('\x01'.repeat(20))],
  ])('refuses %s', (_what, text) => {
    expect(() => size.check(text)).toThrow(TOO_LARGE);
    expect(() => size.checkAll([{ key: 'k', value: trustedValue(text) }])).toThrow(TOO_LARGE);
  });

  it('adds up keys and values, and says what there is too much of', () => {
    const entry = { key: 'a'.repeat(25), value: trustedValue('b'.repeat(25)) };
    expect(() => size.checkAll([entry, entry])).not.toThrow();
    expect(() => size.checkAll([entry, entry, { key: '', value: trustedValue('1') }])).toThrow(
      'The payload takes more than 100 bytes as JSON text',
    );
  });
});
