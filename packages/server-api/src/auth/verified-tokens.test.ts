import { createSecretKey } from 'node:crypto';
import { VerifiedTokens } from './verified-tokens';

const [key, otherKey] = ['one', 'other'].map((text) => createSecretKey(Buffer.from(text)));

describe('A token whose signature was checked', () => {
  if (!key || !otherKey) throw new Error('no keys');

  it('is known until it expires', () => {
    const tokens = new VerifiedTokens(10);
    tokens.keep('t', key, { exp: 100, sub: 'a' });
    expect(tokens.get('t', key, 99)).toEqual({ exp: 100, sub: 'a' });
    expect(tokens.get('t', key, 100)).toBeUndefined();
    expect(tokens.size).toBe(0);
  });

  it('is not known once tokens are signed with another key', () => {
    const tokens = new VerifiedTokens(10);
    tokens.keep('t', key, { exp: 100 });
    expect(tokens.get('t', otherKey, 1)).toBeUndefined();
    tokens.keep('u', otherKey, { exp: 100 });
    expect(tokens.get('t', key, 1)).toBeUndefined();
    expect(tokens.size).toBe(1);
  });

  it('makes room for a newer one', () => {
    const tokens = new VerifiedTokens(2);
    for (const token of ['a', 'b', 'c']) tokens.keep(token, key, { exp: 100 });
    expect(['a', 'b', 'c'].map((token) => tokens.get(token, key, 1) !== undefined)).toEqual([false, true, true]);
  });
});
