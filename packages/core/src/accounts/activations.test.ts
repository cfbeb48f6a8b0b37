import { NULL_UUID, type User } from '../devices/model';
import { useCore } from '../devices/testing/core-under-test';

const used = useCore();
const activations = () => used.core.activations;
const NOT_GOOD = { code: 'BAD_REQUEST', message: 'The activation token is unknown, was used, or has expired' };
const DAY = 86_400_000;

let made = 0;
const aUser = (): Promise<User> =>
  used.core.users.create(
    { tenantId: used.tenantId, authority: 'TENANT_ADMIN', customerId: NULL_UUID },
    { email: `new${++made}@example.org` },
  );

describe('The activation of a user', () => {
  it('sets the first password, once', async () => {
    const user = await aUser();
    const { token } = await activations().tokenFor(user.id);
    expect(await activations().isGood(token)).toBe(true);
    const outcomes = await Promise.allSettled(
      ['first password', 'second password'].map((p) => activations().activate(token, p)),
    );
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await activations().isGood(token)).toBe(false);
    await expect(activations().activate(token, 'third password')).rejects.toMatchObject(NOT_GOOD);
    await expect(activations().tokenFor(user.id)).rejects.toMatchObject({ message: 'User is already activated!' });
  });

  it('gives the same token to all who ask, until it has nearly expired', async () => {
    const { id } = await aUser();
    const tokens = await Promise.all([activations().tokenFor(id), used.another().activations.tokenFor(id)]);
    expect(new Set(tokens.map(({ token }) => token)).size).toBe(1);
    used.clock.advance(DAY - 900_000);
    const next = await activations().tokenFor(id);
    expect(next.token).not.toBe(tokens[0]?.token);
    expect(next.expiresAt).toBe(used.clock.now() + DAY);
    expect(await activations().isGood(tokens[0]?.token ?? '')).toBe(false);
  });

  it('does not work with a token that has expired, that never was, or that is empty', async () => {
    const { token } = await activations().tokenFor((await aUser()).id);
    used.clock.advance(DAY);
    for (const bad of [token, 'never was', '']) {
      expect(await activations().isGood(bad)).toBe(false);
      await expect(activations().activate(bad, 'password')).rejects.toMatchObject(NOT_GOOD);
    }
  });

  it('takes no password that is too short, and stays possible', async () => {
    const { token } = await activations().tokenFor((await aUser()).id);
    await expect(activations().activate(token, 'short')).rejects.toMatchObject({ code: 'PASSWORD_VIOLATION' });
    await activations().activate(token, 'enough');
  });
});
