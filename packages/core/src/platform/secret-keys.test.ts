import { parseSecretKeys } from './secret-keys';

const HEX = '0123456789abcdef'.repeat(4);
const BASE64 = Buffer.alloc(32, 7).toString('base64');

describe('A file of keys', () => {
  it('has one a line, in hexadecimal or base64, with remarks and empty lines between them', () => {
    const keys = parseSecretKeys(`# new\r\n${HEX.toUpperCase()}\n\n  # old\n  ${BASE64}  \n`);
    expect(keys.map((key) => key.toString('hex'))).toEqual([HEX, '07'.repeat(32)]);
  });

  it.each([
    ['nothing', '', 'there is no key in it'],
    ['remarks alone', '# one\n\n', 'there is no key in it'],
    ['a key that is too short', `${HEX}\n${HEX.slice(2)}`, 'line 2 is no key'],
    ['a key that is too long', `${HEX}00`, 'line 1 is no key'],
    ['a password', 'correct horse battery staple', 'line 1 is no key'],
    ['two keys in a line', `${HEX} ${HEX}`, 'line 1 is no key'],
    ['a key twice', `${BASE64}\n${'07'.repeat(32)}`, 'line 2 repeats a key'],
  ])('with %s says so in a line that repeats nothing of it', (_, text, problem) => {
    let message = '';
    try {
      parseSecretKeys(text);
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain(problem);
    for (const word of text.split(/\s+/).filter((part) => part.length > 8)) expect(message).not.toContain(word);
  });
});
