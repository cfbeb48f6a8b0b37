import { isSameSecret } from './same-secret';

describe('A secret', () => {
  it.each(['', 'a', 'secret', 'größer', '\u0000', 'x'.repeat(100_000)])('is itself: %.20s', (secret) => {
    expect(isSameSecret(secret, secret)).toBe(true);
  });

  it.each([
    ['secret', 'secreT'],
    ['secret', 'secre'],
    ['', '\u0000'],
    ['x', 'x'.repeat(100_000)],
    ['é', 'e\u0301'],
  ])('is no other one: %.20s, %.20s', (one, other) => {
    expect([isSameSecret(one, other), isSameSecret(other, one)]).toEqual([false, false]);
  });
});
