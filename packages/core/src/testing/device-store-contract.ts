import type { Device, DeviceCredentials, DeviceProfile } from '../devices/model';
import { decideAgain } from '../state/decide-again';
import type { Written } from '../state/device-store';
import { aDevice, aProfile, CREATED, credentialsOf, TENANT_ID } from './builders';
import { accepted, LONE_SURROGATES, type MakeStore, ODD_NAMES, useSharedStore } from './store-under-test';

const PAGE = { page: 0, pageSize: 100 };
const OTHER_TENANT = '7f1d2f10-0000-4000-8000-000000000002';
const NOBODY = '00000000-0000-4000-8000-000000000000';

export function describeDeviceStoreContract(makeStore: MakeStore): void {
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
}

const infoOf = ({ profileData: _, ...info }: DeviceProfile) => info;

/** Whether the write was made; a refusal is a rejection or a conflict. */
const settle = (write: Promise<Written<unknown>>): Promise<boolean> =>
  write.then(
    ({ ok }) => ok,
    () => false,
  );
