import type { ProfileRequest } from './device-profiles';
import type { ProfileInfo } from './model';
import { useCore } from './testing/core-under-test';

const FOREIGN_TENANT = '00000000-0000-4000-8000-000000000001';

describe('A device profile', () => {
  const used = useCore();
  const save = (name: string, rest: ProfileRequest = {}) =>
    used.core.profiles.save(used.tenantId, { name, type: 'DEFAULT', transportType: 'DEFAULT', ...rest });
  const refused = (message: string) => ({ code: 'BAD_REQUEST', message });
  const stored = ({ id }: ProfileInfo) => used.core.profiles.getInfo(used.tenantId, id);

  it('is made once where two ask for its name, or for its provision key, at once', async () => {
    const [first, second] = await Promise.allSettled([save('wanted'), save('wanted')]);
    expect(first.status).toBe('fulfilled');
    expect(second).toMatchObject({ reason: refused('Device profile with such name already exists!') });
    const [one, other] = await Promise.allSettled([
      save('one', { provisionDeviceKey: 'k' }),
      save('other', { provisionDeviceKey: 'k' }),
    ]);
    expect(one.status).toBe('fulfilled');
    const message = 'Device profile with such provision device key already exists!';
    expect(other).toMatchObject({ reason: refused(message) });
  });

  it('of certificates is told that its certificate is there, not its key', async () => {
    const profile = { provisionType: 'X509_CERTIFICATE_CHAIN', provisionDeviceKey: 'hash' } as const;
    await save('chain', profile);
    const message = 'Device profile with such certificate already exists!';
    await expect(save('same chain', profile)).rejects.toMatchObject(refused(message));
  });

  it('has no provision key where it is given none, whatever its strategy', async () => {
    const profile = await save('keyless', { provisionType: 'ALLOW_CREATE_NEW_DEVICES' });
    expect(profile).toMatchObject({ provisionType: 'ALLOW_CREATE_NEW_DEVICES', provisionDeviceKey: null });
  });

  it('is the default alone, also when two become it at once', async () => {
    const profiles = [await save('a'), await save('b'), await used.core.profiles.default(used.tenantId)];
    const [a, b] = profiles;
    if (!a || !b) throw new Error('no profiles');
    const { profiles: service } = used.core;
    await Promise.all([service.makeDefault(used.tenantId, a.id), service.makeDefault(used.tenantId, b.id)]);
    const defaults = (await Promise.all(profiles.map(stored))).filter(({ isDefault }) => isDefault);
    expect(defaults).toHaveLength(1);
    expect(await service.default(used.tenantId)).toEqual(defaults[0]);
  });

  it('of another tenant is as absent as one that never was', async () => {
    const { profiles } = used.core;
    const { id } = await save('ours');
    const given = { id, name: 'theirs', type: 'DEFAULT', transportType: 'DEFAULT' } as const;
    for (const attempt of [
      () => profiles.get(FOREIGN_TENANT, id),
      () => profiles.save(FOREIGN_TENANT, given),
      () => profiles.makeDefault(FOREIGN_TENANT, id),
      () => profiles.delete(FOREIGN_TENANT, id),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
    expect(await profiles.get(used.tenantId, id)).toMatchObject({ name: 'ours', version: 1 });
  });
});
