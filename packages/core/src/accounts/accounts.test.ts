import { over, useCore } from '../devices/testing/core-under-test';

const used = useCore();
const accounts = () => used.core.accounts;

describe('Accounts', () => {
  it('each tenant administrator has a tenant of his own, with a default profile', async () => {
    expect(await accounts().ensureTenantAdmin('new@example.org', 'secret', 'New')).toBe('created');
    const user = await used.core.state.accounts.findUserByEmail('new@example.org');
    expect(user?.tenantId).not.toBe(used.tenantId);
    expect(await used.core.state.accounts.getTenant(user?.tenantId ?? '')).toMatchObject({ title: 'New' });
    expect(await used.core.state.devices.findDefaultProfile(user?.tenantId ?? '')).toMatchObject({ name: 'default' });
  });

  it('that are there keep their password, unless it is set', async () => {
    expect(await accounts().ensureTenantAdmin('admin@example.org', 'another', 'X')).toBe('present');
    expect(await accounts().passwordFits('admin@example.org', 'another')).toBe(false);
    await accounts().setTenantAdmin('admin@example.org', 'another', 'X');
    expect(await accounts().passwordFits('admin@example.org', 'another')).toBe(true);
    expect(await accounts().passwordFits('admin@example.org', 'password')).toBe(false);
  });

  it('that get another password have no session any more, and the same one again ends none', async () => {
    const generation = async () =>
      (await used.core.state.accounts.findAccountByEmail('again@example.org'))?.credentials.generation ?? 0;
    await accounts().setTenantAdmin('again@example.org', 'first', 'X');
    const before = await generation();
    await accounts().setTenantAdmin('again@example.org', 'first', 'X');
    expect(await generation()).toBe(before);
    await accounts().setTenantAdmin('again@example.org', 'second', 'X');
    expect(await generation()).toBe(before + 1);
  });

  it('are made once by many processes that start at the same time, each with a whole tenant', async () => {
    const processes = [used.core, used.another(), used.another()];
    const outcomes = await Promise.all(
      processes.map((core, i) => core.accounts.ensureTenantAdmin('one@example.org', `password ${i}`, 'One')),
    );
    expect(outcomes.sort()).toEqual(['created', 'present', 'present']);
    const user = await used.core.state.accounts.findUserByEmail('one@example.org');
    expect(await used.core.state.accounts.getTenant(user?.tenantId ?? '')).toMatchObject({ title: 'One' });
    expect(await used.core.profiles.list(user?.tenantId ?? '', { page: 0, pageSize: 10 })).toMatchObject({
      totalElements: 1,
    });
  });

  it.each([
    ['createTenant', 'accounts'],
    ['createProfile', 'devices'],
  ] as const)('that a process left unfinished when it died before %s are finished by the next', async (step, part) => {
    const dying = used.another((state) => ({
      ...state,
      [part]: over(state[part], { [step]: () => Promise.reject(new Error('died')) }),
    }));
    await expect(dying.accounts.ensureTenantAdmin('half@example.org', 'secret', 'Half')).rejects.toThrow('died');
    expect(await accounts().ensureTenantAdmin('half@example.org', 'another', 'Half')).toBe('present');
    expect(await accounts().passwordFits('half@example.org', 'secret')).toBe(true);
    const { tenantId = '' } = (await used.core.state.accounts.findUserByEmail('half@example.org')) ?? {};
    expect(await used.core.state.accounts.getTenant(tenantId)).toMatchObject({ title: 'Half' });
    expect(await used.core.state.devices.findDefaultProfile(tenantId)).toMatchObject({ name: 'default' });
  });

  it('that are there need no new password', async () => {
    const password = () => {
      throw new Error('asked for a password');
    };
    expect(await accounts().ensureTenantAdmin('admin@example.org', password, 'X')).toBe('present');
    await expect(accounts().ensureTenantAdmin('fresh@example.org', password, 'X')).rejects.toThrow('asked for');
    expect(await used.core.state.accounts.findUserByEmail('fresh@example.org')).toBeUndefined();
  });

  it('of system administrators belong to no tenant', async () => {
    await accounts().setSystemAdmin('root@example.org', 'secret');
    expect(await accounts().passwordFits('root@example.org', 'secret')).toBe(true);
    expect(await used.core.state.accounts.findUserByEmail('root@example.org')).toMatchObject({
      authority: 'SYS_ADMIN',
      tenantId: '13814000-1dd2-11b2-8080-808080808080',
    });
  });
});
