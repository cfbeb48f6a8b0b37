import { useCore } from '../devices/testing/core-under-test';
import type { TandemError } from '../errors';

const used = useCore({
  TANDEM_LOGIN_MAX_FAILURES: '2',
  TANDEM_LOGIN_LOCK_TIME: '60000',
  TANDEM_LOGIN_ADDRESS_MAX_FAILURES: '4',
  TANDEM_LOGIN_ADDRESS_LOCK_TIME: '30000',
  TANDEM_SESSIONS_ENDED_MAX: '2',
});
const EMAIL = 'admin@example.org';
const LOCKED = 'UNAUTHORIZED User account is locked due to security policy';
const WRONG = 'UNAUTHORIZED Invalid username or password';

/** `in`, or the refusal. */
const login = (password: string, { email = EMAIL, address = '192.0.2.1' } = {}, core = used.core) =>
  core.logins.login({ email, address, password }).then(() => 'in', refusal);
const refusal = ({ code, message }: TandemError) => `${code} ${message}`;

const user = async () => {
  const found = await used.core.state.accounts.findUserByEmail(EMAIL);
  if (!found) throw new Error('no administrator');
  return found;
};
const ofSession = async (sessionId: string, core = used.core) => {
  const account = await used.core.state.accounts.getAccount((await user()).id);
  return { core, session: { userId: (await user()).id, sessionId, generation: account?.credentials.generation ?? 0 } };
};

describe('A login', () => {
  it('needs the password, whatever the case of the address', async () => {
    expect(await login('password', { email: 'ADMIN@example.ORG' })).toBe('in');
    expect(await login('Password')).toBe(WRONG);
    expect(await login('password', { email: 'nobody@example.org' })).toBe(WRONG);
  });

  it('tells that an account is disabled only to whoever knows its password', async () => {
    await used.core.logins.setEnabled((await user()).id, false);
    expect(await login('wrong')).toBe(WRONG);
    expect(await login('password')).toBe('UNAUTHORIZED User account is not active');
  });

  it.each([EMAIL, 'nobody@example.org'])(
    'to %s is locked after wrong passwords, for a time, in all processes',
    async (email) => {
      const other = used.another();
      expect(await login('wrong', { email })).toBe(WRONG);
      expect(await login('wrong', { email, address: '192.0.2.2' }, other)).toBe(WRONG);
      expect(await login('password', { email, address: '192.0.2.3' })).toBe(LOCKED);
      expect(await login('password', { email, address: '192.0.2.3' }, other)).toBe(LOCKED);
      used.clock.advance(59_999);
      expect(await login('wrong', { email, address: '192.0.2.3' })).toBe(LOCKED);
      used.clock.advance(1);
      expect(await login('password', { email })).toBe(email === EMAIL ? 'in' : WRONG);
    },
  );

  it('counts wrong passwords in a row alone', async () => {
    for (const password of ['wrong', 'password', 'wrong', 'password']) {
      expect(await login(password)).toBe(password === 'wrong' ? WRONG : 'in');
    }
  });

  it('is refused to an address that guesses, whichever the accounts, with the time to come again', async () => {
    for (let n = 0; n < 4; n++) expect(await login('wrong', { email: `${n}@example.org` })).toBe(WRONG);
    const attempt = { email: EMAIL, address: '192.0.2.1', password: 'password' };
    await expect(used.core.logins.login(attempt)).rejects.toMatchObject({
      code: 'TOO_MANY_REQUESTS',
      retryAfter: 30_000,
    });
    await expect(used.core.logins.admit(attempt)).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    expect(await login('password', { address: '192.0.2.2' })).toBe('in');
    used.clock.advance(30_000);
    expect(await login('password')).toBe('in');
  });

  it('that is right does not let its address guess on', async () => {
    for (let n = 0; n < 4; n++) {
      expect(await login('wrong', { email: `${n}@example.org` })).toBe(WRONG);
      if (n < 3) expect(await login('password')).toBe('in');
    }
    expect(await login('password')).toMatch(/^TOO_MANY_REQUESTS/);
  });
});

describe('A login without limits', () => {
  const free = useCore({ TANDEM_LOGIN_MAX_FAILURES: '0', TANDEM_LOGIN_ADDRESS_MAX_FAILURES: '0' });

  it('is never locked', async () => {
    for (let n = 0; n < 12; n++) expect(await login('wrong', {}, free.core)).toBe(WRONG);
    expect(await login('password', {}, free.core)).toBe('in');
  });
});

describe('Changing a password', () => {
  const change = async (current: string, next: string) =>
    used.core.logins
      .changePassword((await user()).id, { address: '192.0.2.1', current, next })
      .then(() => 'done', refusal);

  it('takes the present one, and ends every session', async () => {
    const { session } = await ofSession('s');
    expect(await change('password', 'another')).toBe('done');
    expect([await login('password'), await login('another')]).toEqual([WRONG, 'in']);
    await expect(used.core.principals.ofSession(session)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });

  it('refuses one that is wrong, too short, or the same', async () => {
    expect(await change('wrong', 'another')).toBe("BAD_REQUEST Current password doesn't match!");
    expect(await change('password', 'short')).toBe(
      'PASSWORD_VIOLATION Password must be 6 or more characters in length',
    );
    expect(await change('password', 'password')).toBe('BAD_REQUEST New password should be different from existing!');
    expect(await login('password')).toBe('in');
  });

  it('is no way round the lock', async () => {
    for (let n = 0; n < 2; n++) await change('wrong', 'another');
    expect(await change('password', 'another')).toBe(LOCKED);
    expect(await login('password', { address: '192.0.2.9' })).toBe(LOCKED);
  });
});

describe('A session', () => {
  it('that is ended is over in every process, and no other one is', async () => {
    const other = used.another();
    const [{ session: one }, { session: two }] = [await ofSession('one'), await ofSession('two')];
    for (const core of [used.core, other]) await core.principals.ofSession(one);
    await used.core.logins.endSession(one.userId, 'one');
    await used.core.logins.endSession(one.userId, 'one');
    for (const core of [used.core, other]) {
      await expect(core.principals.ofSession(one)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
      expect(await core.principals.ofSession(two)).toMatchObject({ user: { email: EMAIL } });
    }
  });

  it('stays ended: with more than can be remembered, all of the user end', async () => {
    const sessions = await Promise.all(['a', 'b', 'c', 'd'].map((id) => ofSession(id)));
    for (const { session } of sessions.slice(0, 3))
      await used.core.logins.endSession(session.userId, session.sessionId);
    for (const { session } of sessions) {
      await expect(used.core.principals.ofSession(session)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    }
    const { session } = await ofSession('new');
    expect(await used.core.principals.ofSession(session)).toBeDefined();
  });

  it('is forgotten once its tokens would have expired by themselves', async () => {
    const { id } = await user();
    for (const session of ['a', 'b']) await used.core.logins.endSession(id, session);
    used.clock.advance(604_800_000);
    await used.core.logins.endSession(id, 'c');
    const { endedSessions = [] } = (await used.core.state.accounts.getAccount(id))?.credentials ?? {};
    expect(endedSessions.map(({ sessionId }) => sessionId)).toEqual(['c']);
  });

  it('of a user who was disabled stays over when he is enabled again', async () => {
    const { session } = await ofSession('s');
    for (const enabled of [false, true]) await used.core.logins.setEnabled(session.userId, enabled);
    await expect(used.core.principals.ofSession(session)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });
});
