import type { Device, DeviceProfile } from '../devices/model';
import type { DeviceQuery } from '../state/device-store';
import { aDevice, CREATED, credentialsOf, TENANT_ID } from './builders';
import { accepted, type MakeStore, useStore } from './store-under-test';

const OTHER_TENANT = '7f1d2f10-0000-4000-8000-000000000002';
const CUSTOMER = '7f1d2f10-0000-4000-8000-00000000000c';
const PAGE = { page: 0, pageSize: 100 };

/** Lists of devices (server contract 1.3), from whatever they are made. */
export function describeDeviceListContract(makeStore: MakeStore): void {
  describe('DeviceStore: lists of devices', () => {
    const store = useStore(makeStore);
    const list = (query: Partial<DeviceQuery> = {}) =>
      store.state.devices.listDevices(TENANT_ID, { ...PAGE, ...query });
    const names = async (query: Partial<DeviceQuery> = {}) => (await list(query)).data.map(({ name }) => name);
    const make = async (profile: DeviceProfile, ...given: Partial<Device>[]) => {
      const made: Device[] = [];
      for (const each of given) made.push(await store.device(each, { profile }));
      return made;
    };

    it('are in the order of every property, up and down', async () => {
      const [pumps, lamps] = [await store.profile({ name: 'pump' }), await store.profile({ name: 'Lamp' })];
      await make(
        pumps,
        { name: 'b', createdTime: CREATED + 3, label: 'x' },
        { name: 'D', createdTime: CREATED + 1, label: null },
      );
      await make(
        lamps,
        { name: 'a', createdTime: CREATED + 2, label: 'Y' },
        { name: 'C', createdTime: CREATED + 4, label: 'w' },
      );
      for (const [sortProperty, ascending] of [
        ['createdTime', 'DabC'],
        ['name', 'abCD'],
        ['type', 'aCbD'],
        ['deviceProfileName', 'aCbD'],
        ['label', 'DCba'],
      ] as const) {
        expect((await names({ sortProperty, sortOrder: 'ASC' })).join('')).toBe(ascending);
        expect((await names({ sortProperty, sortOrder: 'DESC' })).join('')).toBe([...ascending].reverse().join(''));
      }
      expect((await names()).join('')).toBe('CbaD');
    });

    it('give each device of one property on one page only, also when they are asked for in another process later', async () => {
      const profile = await store.profile();
      const made = ['f', 'b', 'd', 'a', 'e', 'c'].map((name) => ({ name, createdTime: CREATED, label: 'same' }));
      await make(profile, ...made);
      for (const reopened of [false, true]) {
        if (reopened) await store.reopen();
        for (const sortProperty of ['createdTime', 'type', 'label', undefined]) {
          const pages = await Promise.all(
            [0, 1, 2, 3].map((page) => names({ page, pageSize: 2, sortProperty, sortOrder: 'ASC' })),
          );
          expect(pages).toEqual([['a', 'b'], ['c', 'd'], ['e', 'f'], []]);
        }
      }
    });

    it('tell how many there are on every page, also on one beyond the end', async () => {
      await make(await store.profile(), { name: 'a' }, { name: 'b' }, { name: 'c' });
      for (const [page, pageSize, shown] of [
        [0, 2, 2],
        [1, 2, 1],
        [2, 2, 0],
        [2_147_483_647, 10_000, 0],
        [0, 10_000, 3],
      ] as const) {
        const { data, totalElements } = await list({ page, pageSize });
        expect([data.length, totalElements]).toEqual([shown, 3]);
      }
    });

    it('find a part of the name in any letter case, however short or long it is', async () => {
      await make(
        await store.profile(),
        { name: 'Sensor-0012', createdTime: CREATED + 1 },
        { name: 'sensor-0120', createdTime: CREATED + 2 },
        { name: 'ÖLPUMPE 12', createdTime: CREATED + 3 },
        { name: '温度计12号', createdTime: CREATED + 4 },
        { name: '1', createdTime: CREATED + 5 },
        { name: 'a%_\\*.[b', createdTime: CREATED + 6 },
      );
      for (const [textSearch, found] of [
        ['12', ['温度计12号', 'ÖLPUMPE 12', 'sensor-0120', 'Sensor-0012']],
        ['1', ['1', '温度计12号', 'ÖLPUMPE 12', 'sensor-0120', 'Sensor-0012']],
        ['SENSOR', ['sensor-0120', 'Sensor-0012']],
        ['sensor-0012', ['Sensor-0012']],
        ['ölpumpe', ['ÖLPUMPE 12']],
        ['E 1', ['ÖLPUMPE 12']],
        ['温度', ['温度计12号']],
        ['度计1', ['温度计12号']],
        ['%', ['a%_\\*.[b']],
        ['.*', []],
        ['_\\*.', ['a%_\\*.[b']],
        ['0012x', []],
        ['x'.repeat(300), []],
        ['12号 ', []],
      ] as const) {
        expect([textSearch, await names({ textSearch })]).toEqual([textSearch, found]);
      }
      expect((await names({ textSearch: '' })).length).toBe(6);
      expect((await names()).length).toBe(6);
    });

    it('let pass what fits every filter, page by page', async () => {
      const [pumps, lamps] = [await store.profile({ name: 'pump' }), await store.profile({ name: 'pumps' })];
      const foreign = await store.profile({ name: 'pump', tenantId: OTHER_TENANT });
      await make(pumps, { name: 'p1', customerId: CUSTOMER }, { name: 'p2' }, { name: 'p3', customerId: CUSTOMER });
      await make(lamps, { name: 'l1', customerId: CUSTOMER }, { name: 'p4', customerId: CUSTOMER });
      await make(foreign, { name: 'p5', customerId: CUSTOMER });
      const sorted = (query: Partial<DeviceQuery>) => names({ sortProperty: 'name', sortOrder: 'ASC', ...query });
      expect(await sorted({ type: 'pump' })).toEqual(['p1', 'p2', 'p3']);
      expect(await sorted({ type: 'Pump' })).toEqual([]);
      expect(await sorted({ deviceProfileId: lamps.id })).toEqual(['l1', 'p4']);
      expect(await sorted({ customerId: CUSTOMER })).toEqual(['l1', 'p1', 'p3', 'p4']);
      expect(await sorted({ customerId: CUSTOMER, type: 'pump', textSearch: 'P3' })).toEqual(['p3']);
      expect(await sorted({ customerId: CUSTOMER, page: 1, pageSize: 3 })).toEqual(['p4']);
      expect(await sorted({ deviceProfileId: foreign.id })).toEqual([]);
    });

    it('show a change as soon as it is acknowledged: a new, renamed, assigned, relabelled or deleted device', async () => {
      const profile = await store.profile({ name: 'kind' });
      const [one] = await make(profile, { name: 'one' }, { name: 'two' });
      if (!one) throw new Error('no device');
      const byName = { sortProperty: 'name', sortOrder: 'ASC' } as const;
      // Whatever is kept of one list must not outlive what comes after it.
      const look = async () => [
        await names(byName),
        await names({ ...byName, textSearch: 'one' }),
        await names({ ...byName, customerId: CUSTOMER }),
        await names({ sortProperty: 'label' }),
      ];
      expect(await look()).toEqual([['one', 'two'], ['one'], [], ['two', 'one']]);
      await make(profile, { name: 'another one' });
      expect(await look()).toEqual([
        ['another one', 'one', 'two'],
        ['another one', 'one'],
        [],
        ['two', 'one', 'another one'],
      ]);
      let device = accepted(await store.state.devices.updateDevice({ ...one, name: 'zero' }));
      expect(await look()).toEqual([
        ['another one', 'two', 'zero'],
        ['another one'],
        [],
        ['zero', 'two', 'another one'],
      ]);
      device = accepted(await store.state.devices.updateDevice({ ...device, customerId: CUSTOMER, label: 'l' }));
      expect((await look())[2]).toEqual(['zero']);
      expect((await list({ customerId: CUSTOMER })).data).toEqual([device]);
      await store.state.devices.deleteDevice(device.id);
      expect(await look()).toEqual([['another one', 'two'], ['another one'], [], ['two', 'another one']]);
      await make(profile, { name: 'zero' });
      expect((await look())[0]).toEqual(['another one', 'two', 'zero']);
    });

    it('give devices as they are stored, also with a long text beside a short one', async () => {
      const profile = await store.profile({ name: 'former' });
      const long = `{"text":"${'x'.repeat(5_000)}","n":42.0}`;
      const made = await make(
        profile,
        { createdTime: CREATED + 2, additionalInfo: '{"a":9007199254740993,"b":1.0}', label: 'l' },
        { createdTime: CREATED + 1, additionalInfo: long },
      );
      expect((await list()).data).toEqual(made);
      const [, second] = made;
      if (!second) throw new Error('no device');
      const changed = accepted(await store.state.devices.updateDevice({ ...second, additionalInfo: '{}' }));
      expect((await list()).data[1]).toEqual(changed);
    });

    it('show the new name of a profile as the type of its devices', async () => {
      const profile = await store.profile({ name: 'former' });
      await make(profile, { name: 'a' }, { name: 'b' });
      expect((await list({ type: 'former' })).totalElements).toBe(2);
      accepted(await store.state.devices.updateProfile({ ...profile, name: 'latter' }));
      expect((await list()).data.map(({ type }) => type)).toEqual(['latter', 'latter']);
      expect((await list({ type: 'former' })).totalElements).toBe(0);
      expect((await list({ type: 'latter', sortProperty: 'type' })).totalElements).toBe(2);
    });

    it('miss nothing and show nothing twice that was there all the time, while others come and go', async () => {
      const profile = await store.profile();
      const lasting = Array.from({ length: 30 }, (_, n) => ({ name: `lasting ${String(n).padStart(2, '0')}` }));
      await make(profile, ...lasting);
      const comeAndGo = async () => {
        for (let n = 0; n < 15; n++) {
          const device = aDevice(profile, { name: `passing ${n}` });
          accepted(await store.state.devices.createDevice(device, credentialsOf(device)));
          if (n % 2 === 0) await store.state.devices.deleteDevice(device.id);
        }
      };
      const look = async () => {
        for (let n = 0; n < 15; n++) {
          const query = { sortProperty: 'name', sortOrder: 'ASC', pageSize: 1_000 } as const;
          const seen = await names({ ...query, ...(n % 3 === 0 ? { textSearch: 'LAST' } : {}) });
          expect(seen.filter((name) => name.startsWith('lasting'))).toEqual(lasting.map(({ name }) => name));
          expect(new Set(seen).size).toBe(seen.length);
        }
      };
      await Promise.all([comeAndGo(), look(), look()]);
      expect((await list()).totalElements).toBe(30 + 7);
    });

    it('hold nothing of another tenant', async () => {
      const foreign = await store.profile({ tenantId: OTHER_TENANT });
      await make(foreign, { name: 'theirs' });
      expect(await list()).toEqual({ data: [], totalElements: 0 });
      await make(await store.profile(), { name: 'ours' });
      expect(await names()).toEqual(['ours']);
      expect(await names({ textSearch: 'theirs' })).toEqual([]);
    });
  });

  describe('DeviceStore: lists of more devices than are kept in memory', () => {
    const store = useStore(makeStore, { directoryMax: 3 });
    const list = async (query: Partial<DeviceQuery> = {}) => {
      const { data, totalElements } = await store.state.devices.listDevices(TENANT_ID, { ...PAGE, ...query });
      return [totalElements, ...data.map(({ name }) => name)];
    };

    it('are the same', async () => {
      const profile = await store.profile();
      const made = [];
      for (const name of ['a1', 'a2', 'b1']) made.push(await store.device({ name }, { profile }));
      const byName = { sortProperty: 'name', sortOrder: 'ASC' } as const;
      expect(await list(byName)).toEqual([3, 'a1', 'a2', 'b1']);
      made.push(await store.device({ name: 'b2' }, { profile }));
      expect(await list(byName)).toEqual([4, 'a1', 'a2', 'b1', 'b2']);
      expect(await list({ ...byName, textSearch: 'A' })).toEqual([2, 'a1', 'a2']);
      expect(await list({ ...byName, page: 1, pageSize: 3 })).toEqual([4, 'b2']);
      await store.device({ name: 'b3' }, { profile });
      expect(await list(byName)).toEqual([5, 'a1', 'a2', 'b1', 'b2', 'b3']);
      for (const { id } of made.slice(1)) await store.state.devices.deleteDevice(id);
      for (let n = 0; n < 3; n++) expect(await list(byName)).toEqual([2, 'a1', 'b3']);
    });
  });
}
