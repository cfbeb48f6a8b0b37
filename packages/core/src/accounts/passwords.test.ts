import { hashPassword, verifyPassword } from './passwords';

describe('A password', () => {
  it('fits its own hash and no other does', async () => {
    const hash = await hashPassword('Correct horse');
    expect(await verifyPassword('Correct horse', hash)).toBe(true);
    for (const wrong of ['correct horse', 'Correct horse ', '', 'Correct']) {
      expect(await verifyPassword(wrong, hash)).toBe(false);
    }
  });

  it('has another hash every time, with its own cost in it, and does not show', async () => {
    const [one, two] = [await hashPassword('secret'), await hashPassword('secret')];
    expect(one).not.toBe(two);
    expect(one).toMatch(/^scrypt\$16384\$8\$1\$[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=$/);
    expect(one).not.toContain('secret');
  });

  it('is the same however its letters are composed', async () => {
    expect(await verifyPassword('pa\u0308ss', await hashPassword('p\u00e4ss'))).toBe(true);
  });

  it('never fits where there is no account, not even the one of the fixed hash', async () => {
    expect(await verifyPassword('', null)).toBe(false);
    expect(await verifyPassword('anything', null)).toBe(false);
  });
});
