import type { DeviceProfile } from '../devices/model';
import { aDevice, aProfile, credentialsOf, TENANT_ID } from './builders';
import { accepted, type MakeStore, useSharedStore } from './store-under-test';

const PAGE = { page: 0, pageSize: 100 };
const OTHER_TENANT = '7f1d2f10-0000-4000-8000-000000000002';

export function describeProfileStoreContract(makeStore: MakeStore): void {
  describe('DeviceStore: profiles', () => {
    const store = useSharedStore(makeStore);
    const isDefault = async ({ id }: DeviceProfile) => (await store.state.devices.getProfile(id))?.isDefault;

    it('finds a profile by id and, within its tenant, by name', async () => {
      const profile = await store.profile({ profileData: '{"z":42.0,"10":[9007199254740993,"\\u0000",null]}' });
      expect(await store.state.devices.getProfile(profile.id)).toEqual(profile);
      expect(await store.state.devices.getProfileInfo(profile.id)).toEqual(infoOf(profile));
      expect(await store.state.devices.findProfileByName(TENANT_ID, profile.name)).toEqual(infoOf(profile));
      expect(await store.state.devices.findProfileByName(OTHER_TENANT, profile.name)).toBeUndefined();
      expect(await store.state.devices.findProfileByName(TENANT_ID, 'x'.repeat(5_000))).toBeUndefined();
    });

    it('gives a name once within a tenant', async () => {
      const { name } = await store.profile();
      const second = aProfile({ name });
      expect(await store.state.devices.createProfile(second)).toEqual({ ok: false, conflict: 'NAME_TAKEN' });
      expect(await store.state.devices.getProfile(second.id)).toBeUndefined();
      accepted(await store.state.devices.createProfile(aProfile({ name, tenantId: OTHER_TENANT })));
    });

    it('finds a profile by its provision key over all tenants, and gives a key once', async () => {
      const { devices } = store.state;
      const keyed = await store.profile({ provisionDeviceKey: 'key', tenantId: OTHER_TENANT });
      expect(await devices.findProfileByProvisionKey('key')).toEqual(keyed);
      for (const key of ['', 'KEY', '\u0000', '\ud800', 'x'.repeat(100_000)]) {
        expect(await devices.findProfileByProvisionKey(key)).toBeUndefined();
      }
      const second = aProfile({ provisionDeviceKey: 'key' });
      expect(await devices.createProfile(second)).toEqual({ ok: false, conflict: 'PROVISION_KEY_TAKEN' });
      expect(await devices.getProfile(second.id)).toBeUndefined();
      expect(await devices.findProfileByName(TENANT_ID, second.name)).toBeUndefined();
      const keyless = await store.profile();
      const taking = await devices.updateProfile({ ...keyless, provisionDeviceKey: 'key' });
      expect(taking).toEqual({ ok: false, conflict: 'PROVISION_KEY_TAKEN' });
      expect(await devices.getProfile(keyless.id)).toEqual(keyless);
    });

    it('frees a provision key when its profile has another one, none, or is deleted', async () => {
      const { devices } = store.state;
      const foundBy = async (key: string) => (await devices.findProfileByProvisionKey(key))?.id;
      const first = await store.profile({ provisionDeviceKey: 'one' });
      const same = accepted(await devices.updateProfile({ ...first, description: 'saved with the same key' }));
      expect(await foundBy('one')).toBe(first.id);
      const other = accepted(await devices.updateProfile({ ...same, provisionDeviceKey: 'two' }));
      expect([await foundBy('one'), await foundBy('two')]).toEqual([undefined, first.id]);
      accepted(await devices.updateProfile({ ...other, provisionDeviceKey: null }));
      expect(await foundBy('two')).toBeUndefined();
      const second = await store.profile({ provisionDeviceKey: 'two' });
      accepted(await devices.deleteProfile(second.id));
      expect(await foundBy('two')).toBeUndefined();
      const third = await store.profile({ provisionDeviceKey: 'two' });
      expect(await foundBy('two')).toBe(third.id);
    });

    it('lets one of two profiles have a provision key that both want at once', async () => {
      const create = () => store.state.devices.createProfile(aProfile({ provisionDeviceKey: 'wanted' }));
      const outcomes = await Promise.all([create(), create()]);
      expect(outcomes.map((outcome) => (outcome.ok ? 'made' : outcome.conflict))).toEqual([
        'made',
        'PROVISION_KEY_TAKEN',
      ]);
    });

    it('keeps the transport type of a profile while a device refers to it', async () => {
      const { devices } = store.state;
      const profile = await store.profile({ transportType: 'COAP' });
      const device = await store.device({}, { profile });
      const change = { ...profile, transportType: 'DEFAULT', description: 'changed' } as const;
      expect(await devices.updateProfile(change)).toEqual({ ok: false, conflict: 'IN_USE' });
      expect(await devices.getProfile(profile.id)).toEqual(profile);
      const { version } = accepted(await devices.updateProfile({ ...profile, description: 'changed' }));
      accepted(await devices.deleteDevice(device.id));
      expect(accepted(await devices.updateProfile({ ...change, version })).transportType).toBe('DEFAULT');
    });

    it('lists the profiles of a tenant by page, transport type, and whether a device refers to them', async () => {
      await store.empty();
      const [unused, coap] = [
        await store.profile({ name: 'a' }),
        await store.profile({ name: 'b', transportType: 'COAP' }),
      ];
      const foreign = await store.profile({ name: 'c', tenantId: OTHER_TENANT, transportType: 'COAP' });
      for (const profile of [coap, foreign]) await store.device({}, { profile });
      const names = async (query: Partial<Parameters<typeof store.state.devices.listProfiles>[1]>) => {
        const sorted = { ...PAGE, sortProperty: 'name', sortOrder: 'ASC' } as const;
        const { data, totalElements } = await store.state.devices.listProfiles(TENANT_ID, { ...sorted, ...query });
        return [totalElements, ...data.map(({ name }) => name)];
      };
      expect(await names({})).toEqual([2, 'a', 'b']);
      expect(await names({ page: 1, pageSize: 1 })).toEqual([2, 'b']);
      expect(await names({ transportType: 'COAP' })).toEqual([1, 'b']);
      expect(await names({ transportType: 'SNMP' })).toEqual([0]);
      expect(await names({ inUse: true })).toEqual([1, 'b']);
      expect(await names({ inUse: true, transportType: unused.transportType })).toEqual([0]);
      expect(await names({ textSearch: 'A' })).toEqual([1, 'a']);
    });

    it('takes the flag of the default profile from the former one', async () => {
      const [first, second, foreign] = [
        await store.profile({ isDefault: true }),
        await store.profile({ isDefault: true }),
        await store.profile({ isDefault: true, tenantId: OTHER_TENANT }),
      ];
      expect([await isDefault(first), await isDefault(second)]).toEqual([false, true]);
      const stored = await store.state.devices.getProfile(first.id);
      if (!stored) throw new Error('the profile is gone');
      accepted(await store.state.devices.updateProfile({ ...stored, isDefault: true }));
      expect([await isDefault(first), await isDefault(second), await isDefault(foreign)]).toEqual([true, false, true]);
      expect((await store.state.devices.findDefaultProfile(TENANT_ID))?.id).toBe(first.id);
      expect((await store.state.devices.findDefaultProfile(OTHER_TENANT))?.id).toBe(foreign.id);
    });

    it('leaves the default profile the default until another one is', async () => {
      const profile = await store.profile({ isDefault: true });
      const saved = accepted(await store.state.devices.updateProfile({ ...profile, isDefault: false }));
      expect(saved.isDefault).toBe(true);
      expect(await store.state.devices.findDefaultProfile(TENANT_ID)).toEqual(infoOf(saved));
    });

    it('updates only the version that is stored, and adds one to it', async () => {
      const profile = await store.profile();
      const update = (description: string) => store.state.devices.updateProfile({ ...profile, description });
      const outcomes = await Promise.all([update('first'), update('second')]);
      expect(outcomes).toEqual([
        { ok: true, value: { ...profile, description: 'first', version: 2 } },
        { ok: false, conflict: 'VERSION' },
      ]);
      expect(await store.state.devices.getProfile(profile.id)).toMatchObject({ description: 'first', version: 2 });
      expect(await store.state.devices.updateProfile(aProfile())).toEqual({ ok: false, conflict: 'ABSENT' });
    });

    it('renames a profile, its devices along with it, and frees the former name', async () => {
      const profile = await store.profile();
      const device = await store.device({}, { profile });
      const renamed = accepted(await store.state.devices.updateProfile({ ...profile, name: 'renamed' }));
      expect(await store.state.devices.findProfileByName(TENANT_ID, 'renamed')).toEqual(infoOf(renamed));
      expect(await store.state.devices.findProfileByName(TENANT_ID, profile.name)).toBeUndefined();
      expect(await store.state.devices.getDevice(device.id)).toEqual({ ...device, type: 'renamed' });
      await store.profile({ name: profile.name });
    });

    it('does not rename a profile to a name that is taken', async () => {
      const [one, other] = [await store.profile(), await store.profile()];
      const outcome = await store.state.devices.updateProfile({ ...one, name: other.name });
      expect(outcome).toEqual({ ok: false, conflict: 'NAME_TAKEN' });
      expect(await store.state.devices.getProfile(one.id)).toEqual(one);
      expect(await store.state.devices.findProfileByName(TENANT_ID, one.name)).toEqual(infoOf(one));
    });

    it('deletes a profile unless a device refers to it', async () => {
      const profile = await store.profile({ isDefault: true });
      const device = await store.device({}, { profile });
      expect(await store.state.devices.deleteProfile(profile.id)).toEqual({ ok: false, conflict: 'IN_USE' });
      await store.state.devices.deleteDevice(device.id);
      expect(await store.state.devices.deleteProfile(profile.id)).toEqual({ ok: true, value: profile });
      expect(await store.state.devices.deleteProfile(profile.id)).toEqual({ ok: false, conflict: 'ABSENT' });
      expect(await store.state.devices.findDefaultProfile(TENANT_ID)).toBeUndefined();
      await store.profile({ name: profile.name });
    });

    it('lets a profile go or a device refer to it, never both', async () => {
      const profile = await store.profile();
      const device = aDevice(profile);
      const [deleted, created] = await Promise.all([
        store.state.devices.deleteProfile(profile.id),
        store.state.devices.createDevice(device, credentialsOf(device)),
      ]);
      expect([deleted.ok, created]).toEqual([true, { ok: false, conflict: 'ABSENT' }]);
      expect(await store.state.devices.getDevice(device.id)).toBeUndefined();
    });
  });
}

const infoOf = ({ profileData: _, ...info }: DeviceProfile) => info;
