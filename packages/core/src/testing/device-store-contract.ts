import { DeviceAuth } from '../auth/device-auth';
import type { Device, DeviceCredentials, DeviceProfile } from '../devices/model';
import { MetricsRegistry } from '../platform/metrics';
import { decideAgain } from '../state/decide-again';
import type { Written } from '../state/device-store';
import { aDevice, aProfile, CREATED, credentialsOf, TENANT_ID } from './builders';
import { FakeClock } from './fake-clock';
import { accepted, LONE_SURROGATES, type MakeStore, ODD_NAMES, useSharedStore } from './store-under-test';

const PAGE = { page: 0, pageSize: 100 };
const OTHER_TENANT = '7f1d2f10-0000-4000-8000-000000000002';
const NOBODY = '00000000-0000-4000-8000-000000000000';

export function describeDeviceStoreContract(makeStore: MakeStore): void {
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

  describe('DeviceStore: devices and credentials', () => {
    const store = useSharedStore(makeStore);

    it('finds a device by id, by name within its tenant, and by its credentials', async () => {
      const profile = await store.profile();
      const device = await store.device(
        { additionalInfo: '{"b":42.0,"a":[9007199254740993]}', label: 'l' },
        { profile },
      );
      const credentials = await store.state.devices.getCredentials(device.id);
      expect(await store.state.devices.getDevice(device.id)).toEqual(device);
      expect(await store.state.devices.findDeviceByName(TENANT_ID, device.name)).toEqual(device);
      expect(await store.state.devices.findDeviceByName(OTHER_TENANT, device.name)).toBeUndefined();
      expect(await store.state.devices.resolveCredentials(credentials?.credentialsId ?? '')).toEqual({
        device,
        profile: infoOf(profile),
        credentials,
      });
    });

    it('knows no device by credentials that nobody has', async () => {
      await store.device();
      for (const id of ['', '\u0000', '\ud800', 'x'.repeat(100_000)]) {
        expect(await store.state.devices.resolveCredentials(id)).toBeUndefined();
      }
    });

    it('tells a name that is taken and keeps neither device nor credentials', async () => {
      const profile = await store.profile();
      const { name } = await store.device({}, { profile });
      const second = aDevice(profile, { name });
      const credentials = credentialsOf(second);
      expect(await store.state.devices.createDevice(second, credentials)).toEqual({
        ok: false,
        conflict: 'NAME_TAKEN',
      });
      expect(await store.state.devices.getDevice(second.id)).toBeUndefined();
      expect(await store.state.devices.getCredentials(second.id)).toBeUndefined();
      expect(await store.state.devices.resolveCredentials(credentials.credentialsId)).toBeUndefined();
    });

    it('tells credentials that are taken, also by a device of another tenant, and keeps nothing', async () => {
      await store.empty();
      const foreign = await store.profile({ tenantId: OTHER_TENANT });
      await store.device({}, { profile: foreign, credentials: { credentialsId: 'A1' } });
      const profile = await store.profile();
      const second = aDevice(profile);
      const outcome = await store.state.devices.createDevice(second, credentialsOf(second, { credentialsId: 'A1' }));
      expect(outcome).toEqual({ ok: false, conflict: 'CREDENTIALS_TAKEN' });
      expect(await store.state.devices.getDevice(second.id)).toBeUndefined();
      expect(await store.state.devices.findDeviceByName(TENANT_ID, second.name)).toBeUndefined();
      expect((await store.state.devices.listDevices(TENANT_ID, PAGE)).totalElements).toBe(0);
      expect(await store.state.devices.deleteProfile(profile.id)).toMatchObject({ ok: true });
    });

    it('lets one of two devices have a name or a token that both want at once', async () => {
      const profile = await store.profile();
      const create = (name: string, credentialsId: string) => {
        const device = aDevice(profile, { name });
        return store.state.devices.createDevice(device, credentialsOf(device, { credentialsId }));
      };
      const outcomes = await Promise.all([create('n', 't1'), create('n', 't2'), create('m', 't1')]);
      expect(outcomes.map((outcome) => (outcome.ok ? 'made' : outcome.conflict))).toEqual([
        'made',
        'NAME_TAKEN',
        'CREDENTIALS_TAKEN',
      ]);
    });

    it('makes as many devices of a tenant as there may be and no more, also of many that come at once', async () => {
      await store.empty();
      const profiles = [await store.profile(), await store.profile()] as const;
      await store.device({}, { profile: await store.profile({ tenantId: OTHER_TENANT }) });
      const create = (n: number, max?: number) => {
        const device = aDevice(profiles[n % 2 === 0 ? 0 : 1]);
        return store.state.devices.createDevice(device, credentialsOf(device), max);
      };
      const outcomes = await Promise.all(Array.from({ length: 12 }, (_, n) => create(n, 5)));
      const made = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value] : []));
      expect(made).toHaveLength(5);
      expect(outcomes.filter((outcome) => !outcome.ok && outcome.conflict === 'LIMIT')).toHaveLength(7);
      expect((await store.state.devices.listDevices(TENANT_ID, PAGE)).totalElements).toBe(5);
      accepted(await store.state.devices.deleteDevice(made[0]?.id ?? ''));
      accepted(await create(0, 5));
      expect(await create(1, 5)).toEqual({ ok: false, conflict: 'LIMIT' });
      accepted(await create(1));
      await store.reopen();
      expect(await create(0, 6)).toEqual({ ok: false, conflict: 'LIMIT' });
      accepted(await create(0, 7));
    });

    it('updates only the version that is stored, and adds one to it', async () => {
      const device = await store.device();
      const update = (label: string) => store.state.devices.updateDevice({ ...device, label });
      const outcomes = await Promise.all([update('first'), update('second')]);
      expect(outcomes).toEqual([
        { ok: true, value: { ...device, label: 'first', version: 2 } },
        { ok: false, conflict: 'VERSION' },
      ]);
      expect(await store.state.devices.getDevice(device.id)).toMatchObject({ label: 'first', version: 2 });
      const absent = aDevice(await store.profile());
      expect(await store.state.devices.updateDevice(absent)).toEqual({ ok: false, conflict: 'ABSENT' });
    });

    it('renames a device and frees the former name, but not to a name that is taken', async () => {
      const profile = await store.profile();
      const [one, other] = [await store.device({}, { profile }), await store.device({}, { profile })];
      const taken = await store.state.devices.updateDevice({ ...one, name: other.name });
      expect(taken).toEqual({ ok: false, conflict: 'NAME_TAKEN' });
      expect(await store.state.devices.findDeviceByName(TENANT_ID, one.name)).toEqual(one);
      const renamed = accepted(await store.state.devices.updateDevice({ ...one, name: 'renamed' }));
      expect(await store.state.devices.findDeviceByName(TENANT_ID, 'renamed')).toEqual(renamed);
      expect(await store.state.devices.findDeviceByName(TENANT_ID, one.name)).toBeUndefined();
      await store.device({ name: one.name }, { profile });
    });

    it('moves a device to another profile, which from then on is the one in use', async () => {
      const [from, to] = [await store.profile(), await store.profile()];
      const device = await store.device({}, { profile: from });
      accepted(await store.state.devices.updateDevice({ ...device, deviceProfileId: to.id, type: to.name }));
      expect(await store.state.devices.deleteProfile(to.id)).toEqual({ ok: false, conflict: 'IN_USE' });
      expect(await store.state.devices.deleteProfile(from.id)).toMatchObject({ ok: true });
      const credentials = await store.state.devices.getCredentials(device.id);
      expect((await store.state.devices.resolveCredentials(credentials?.credentialsId ?? ''))?.profile).toEqual(
        infoOf(to),
      );
      const nowhere = { ...device, version: 2, deviceProfileId: from.id };
      expect(await store.state.devices.updateDevice(nowhere)).toEqual({ ok: false, conflict: 'ABSENT' });
    });

    it('replaces credentials: the new ones resolve, the former ones no more', async () => {
      const device = await store.device({}, { credentials: { credentialsId: 'former' } });
      const stored = await store.state.devices.getCredentials(device.id);
      if (!stored) throw new Error('no credentials');
      const next = accepted(await store.state.devices.updateCredentials({ ...stored, credentialsId: 'next' }));
      expect(next.version).toBe(2);
      expect(await store.state.devices.getCredentials(device.id)).toEqual(next);
      expect(await store.state.devices.resolveCredentials('former')).toBeUndefined();
      expect((await store.state.devices.resolveCredentials('next'))?.credentials).toEqual(next);
      const same = accepted(await store.state.devices.updateCredentials(next));
      expect((await store.state.devices.resolveCredentials('next'))?.credentials).toEqual(same);
    });

    it('does not replace credentials by those of another device, of a stale version, or of no device', async () => {
      await store.device({}, { credentials: { credentialsId: 'theirs' } });
      const device = await store.device({}, { credentials: { credentialsId: 'mine' } });
      const stored = await store.state.devices.getCredentials(device.id);
      if (!stored) throw new Error('no credentials');
      const update = store.state.devices.updateCredentials.bind(store.state.devices);
      expect(await update({ ...stored, credentialsId: 'theirs' })).toEqual({
        ok: false,
        conflict: 'CREDENTIALS_TAKEN',
      });
      expect(await update({ ...stored, version: 7 })).toEqual({ ok: false, conflict: 'VERSION' });
      expect(await update({ ...stored, deviceId: NOBODY })).toEqual({ ok: false, conflict: 'ABSENT' });
      expect((await store.state.devices.resolveCredentials('mine'))?.device).toEqual(device);
    });

    it('lets each of twenty change a device at the same time that decide again on what is there', async () => {
      const { devices } = store.state;
      const device = await store.device();
      const change = (label: string) =>
        decideAgain(undefined, async () => {
          const stored = await devices.getDevice(device.id);
          return stored ? devices.updateDevice({ ...stored, label }) : { ok: false, conflict: 'ABSENT' };
        });
      await Promise.all(Array.from({ length: 20 }, async (_, n) => accepted(await change(`${n}`))));
      expect((await devices.getDevice(device.id))?.version).toBe(21);
    });

    it('changes a device and its credentials together, or neither of them', async () => {
      await store.empty();
      const { devices } = store.state;
      await store.device({ name: 'other' }, { credentials: { credentialsId: 'theirs' } });
      const device = await store.device({ name: 'mine' }, { credentials: { credentialsId: 'former' } });
      const credentials = await devices.getCredentials(device.id);
      if (!credentials) throw new Error('no credentials');
      const next = { ...credentials, credentialsId: 'next' };
      const refused: [Partial<Device>, Partial<DeviceCredentials>, string][] = [
        [{}, { credentialsId: 'theirs' }, 'CREDENTIALS_TAKEN'],
        [{ name: 'other' }, {}, 'NAME_TAKEN'],
        [{ version: 7 }, {}, 'VERSION'],
        [{}, { version: 7 }, 'VERSION'],
        [{ deviceProfileId: NOBODY }, {}, 'ABSENT'],
        [{ id: NOBODY }, {}, 'ABSENT'],
      ];
      for (const [ofDevice, ofCredentials, conflict] of refused) {
        const [changed, given] = [
          { ...device, label: 'x', ...ofDevice },
          { ...next, ...ofCredentials },
        ];
        expect(await devices.updateDeviceWithCredentials(changed, given)).toEqual({ ok: false, conflict });
      }
      expect(await devices.getDevice(device.id)).toEqual(device);
      expect(await devices.getCredentials(device.id)).toEqual(credentials);
      const heard: unknown[] = [];
      devices.onSessionChange((change) => heard.push(change));
      const changed = accepted(await devices.updateDeviceWithCredentials({ ...device, name: 'renamed' }, next));
      expect(changed).toEqual({ ...device, name: 'renamed', version: 2 });
      expect(await devices.getCredentials(device.id)).toEqual({ ...next, version: 2 });
      expect((await devices.resolveCredentials('next'))?.device).toEqual(changed);
      expect(await devices.resolveCredentials('former')).toBeUndefined();
      expect(heard).toEqual([{ kind: 'credentials', deviceId: device.id }]);
    });

    it('lists the devices of a tenant and a type by page, order and part of the name', async () => {
      await store.empty();
      const [pumps, lamps] = [await store.profile({ name: 'pump' }), await store.profile({ name: 'lamp' })];
      const foreign = await store.profile({ tenantId: OTHER_TENANT });
      const made = [
        await store.device({ name: 'Pump b', createdTime: CREATED + 1 }, { profile: pumps }),
        await store.device({ name: 'Pump a', createdTime: CREATED + 2 }, { profile: pumps }),
        await store.device({ name: 'Lamp', createdTime: CREATED + 3 }, { profile: lamps }),
      ];
      await store.device({ name: 'Pump of another' }, { profile: foreign });
      const names = async (query: Parameters<typeof store.state.devices.listDevices>[1]) => {
        const { data, totalElements } = await store.state.devices.listDevices(TENANT_ID, query);
        return [totalElements, ...data.map(({ name }) => name)];
      };
      expect(await names(PAGE)).toEqual([3, 'Lamp', 'Pump a', 'Pump b']);
      expect(await names({ page: 1, pageSize: 2 })).toEqual([3, 'Pump b']);
      expect(await names({ page: 5, pageSize: 2 })).toEqual([3]);
      expect(await names({ ...PAGE, sortProperty: 'name', sortOrder: 'ASC' })).toEqual([3, 'Lamp', 'Pump a', 'Pump b']);
      expect(await names({ ...PAGE, sortProperty: 'createdTime', sortOrder: 'ASC' })).toEqual([
        3,
        ...made.map(({ name }) => name),
      ]);
      expect(await names({ ...PAGE, textSearch: 'pUMP' })).toEqual([2, 'Pump a', 'Pump b']);
      expect(await names({ ...PAGE, type: 'lamp' })).toEqual([1, 'Lamp']);
      expect(await names({ ...PAGE, type: 'lamp', textSearch: 'pump' })).toEqual([0]);
    });

    it('takes any name: control characters, NUL, astral characters, 255 characters', async () => {
      await store.empty();
      const profile = await store.profile();
      const made = new Map<string, string>();
      for (const name of ODD_NAMES) made.set(name, (await store.device({ name }, { profile })).id);
      for (const [name, id] of made) {
        expect((await store.state.devices.findDeviceByName(TENANT_ID, name))?.id).toBe(id);
      }
      const { data, totalElements } = await store.state.devices.listDevices(TENANT_ID, PAGE);
      expect(totalElements).toBe(ODD_NAMES.length);
      expect(new Set(data.map(({ name }) => name))).toEqual(new Set(ODD_NAMES));
      expect(await store.state.devices.findDeviceByName(TENANT_ID, 'x'.repeat(10_000))).toBeUndefined();
    });

    it('keeps a device or a profile with an endless name wholly or not at all', async () => {
      await store.empty();
      const name = 'x'.repeat(10_000);
      const [profile, endless] = [await store.profile(), aProfile({ name })];
      const device = aDevice(profile, { name });
      const made = [
        await settle(store.state.devices.createProfile(endless)),
        await settle(store.state.devices.createDevice(device, credentialsOf(device))),
      ];
      expect([
        (await store.state.devices.getProfile(endless.id)) !== undefined,
        (await store.state.devices.getDevice(device.id)) !== undefined,
      ]).toEqual(made);
      const { totalElements } = await store.state.devices.listDevices(TENANT_ID, PAGE);
      expect(totalElements).toBe(made[1] ? 1 : 0);
      const short = await store.device({}, { profile });
      const renamed = await settle(store.state.devices.updateDevice({ ...short, name }));
      const found = await store.state.devices.findDeviceByName(TENANT_ID, renamed ? name : short.name);
      expect(found?.id).toBe(short.id);
    });

    it('survives names that are no Unicode text', async () => {
      const profile = await store.profile();
      for (const name of LONE_SURROGATES) {
        const device = aDevice(profile, { name });
        const outcome = await store.state.devices.createDevice(device, credentialsOf(device));
        if (!outcome.ok) expect(outcome.conflict).toBe('NAME_TAKEN');
        expect(await store.state.devices.findDeviceByName(TENANT_ID, name)).toBeDefined();
      }
    });
  });

  describe('DeviceStore: what running sessions hear', () => {
    const store = useSharedStore(makeStore);

    it('tells every change in the order of the writes, and nothing of a write that ran into a conflict', async () => {
      const profile = await store.profile();
      const device = await store.device({}, { profile });
      const credentials = await store.state.devices.getCredentials(device.id);
      if (!credentials) throw new Error('no credentials');
      const changes: unknown[] = [];
      store.state.devices.onSessionChange((change) => changes.push(change));
      await Promise.all([
        store.state.devices.updateDevice(device),
        store.state.devices.updateDevice(device),
        store.state.devices.updateCredentials(credentials),
        store.state.devices.updateCredentials(credentials),
        store.state.devices.updateProfile(profile),
        store.state.devices.updateProfile(profile),
        store.state.devices.deleteDevice(device.id),
      ]);
      await Promise.all([store.state.devices.deleteProfile(profile.id), store.state.devices.deleteProfile(profile.id)]);
      expect(changes).toEqual([
        { kind: 'device', deviceId: device.id },
        { kind: 'credentials', deviceId: device.id },
        { kind: 'profile', profileId: profile.id },
        { kind: 'deleted', deviceId: device.id },
        { kind: 'profile', profileId: profile.id },
      ]);
    });

    it('tells a change before the write resolves, when it can be read already', async () => {
      const device = await store.device({}, { credentials: { credentialsId: 'former' } });
      const credentials = await store.state.devices.getCredentials(device.id);
      if (!credentials) throw new Error('no credentials');
      const order: string[] = [];
      const reads: Promise<unknown>[] = [];
      store.state.devices.onSessionChange(() => {
        order.push('told');
        reads.push(store.state.devices.resolveCredentials('former'));
      });
      await store.state.devices
        .updateCredentials({ ...credentials, credentialsId: 'next' })
        .then(() => order.push('resolved'));
      expect(order).toEqual(['told', 'resolved']);
      expect(await Promise.all(reads)).toEqual([undefined]);
    });

    it('lets a session that runs speak by the profile as it is, from the moment a change of it resolves', async () => {
      const { devices } = store.state;
      const auth = new DeviceAuth(devices, 10, new FakeClock(), new MetricsRegistry());
      const profile = await store.profile({ transportType: 'COAP' });
      await store.device({}, { profile, credentials: { credentialsId: 'running' } });
      expect(await auth.resolve('running')).toMatchObject({ coapDeviceType: 'DEFAULT', deviceType: profile.name });
      accepted(await devices.updateProfile({ ...profile, name: 'renamed', coapDeviceType: 'EFENTO' }));
      expect(auth.cached('running')).toBeUndefined();
      expect(await auth.resolve('running')).toMatchObject({ coapDeviceType: 'EFENTO', deviceType: 'renamed' });
    });

    it('lets a listener that throws harm nobody: the write is made, and the others hear it', async () => {
      const { devices } = store.state;
      const device = await store.device();
      const heard: string[] = [];
      devices.onSessionChange(({ kind }) => {
        throw new Error(`no ${kind}`);
      });
      devices.onSessionChange(({ kind }) => heard.push(kind));
      accepted(await devices.updateDevice(device));
      expect((await devices.deleteDevice(device.id)).ok).toBe(true);
      expect(await devices.getDevice(device.id)).toBeUndefined();
      expect(heard).toEqual(['device', 'deleted']);
    });

    it('tells nobody who has left', async () => {
      const device = await store.device();
      const heard: string[] = [];
      const leave = store.state.devices.onSessionChange(() => heard.push('left'));
      store.state.devices.onSessionChange(() => heard.push('stayed'));
      leave();
      await store.state.devices.updateDevice(device);
      expect(heard).toEqual(['stayed']);
    });
  });
}

const infoOf = ({ profileData: _, ...info }: DeviceProfile) => info;

/** Whether the write was made; a refusal is a rejection or a conflict. */
const settle = (write: Promise<Written<unknown>>): Promise<boolean> =>
  write.then(
    ({ ok }) => ok,
    () => false,
  );
