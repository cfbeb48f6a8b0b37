import { pskCredentials } from './psk-credentials';

const KEY = '00112233445566778899aabbccddeeff';
const refusal = (identity: string, key: string): string => {
  try {
    pskCredentials(identity, key);
  } catch (error) {
    return (error as Error).message;
  }
  return 'taken';
};

describe('A pre-shared key', () => {
  it('is kept in small letters, its identity as it is', () => {
    expect(pskCredentials(' Gerät 1', ` ${KEY.toUpperCase()}\n`)).toEqual({
      credentialsId: ' Gerät 1',
      credentialsValue: KEY,
    });
  });

  it('has 16 to 64 bytes in hexadecimal digits, and is in no sentence that refuses it', () => {
    for (const key of ['ab'.repeat(16), 'ab'.repeat(64)]) expect(refusal('id', key)).toBe('taken');
    for (const key of [
      'ab'.repeat(15),
      'ab'.repeat(65),
      `${KEY}a`,
      `${KEY}xy`,
      'a password of my own',
      '0x'.repeat(16),
    ]) {
      expect(refusal('id', key)).toBe('A pre-shared key must be 16 to 64 bytes in hexadecimal digits');
    }
    expect(refusal('id', ' ')).toBe('The pre-shared key should be specified in credentialsValue!');
  });

  it('has an identity of 1 to 128 bytes without U+0000', () => {
    expect(refusal('ü'.repeat(64), KEY)).toBe('taken');
    expect(refusal('ü'.repeat(65), KEY)).toBe('The identity of a pre-shared key is longer than 128 bytes');
    expect(refusal('a\u0000b', KEY)).toContain('must be well-formed Unicode without the character U+0000');
    expect(refusal(' ', KEY)).toContain('should be specified in credentialsId');
  });
});
