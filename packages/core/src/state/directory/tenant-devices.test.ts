import type { Device } from '../../devices/model';
import { aDevice, aProfile, CREATED } from '../../testing/builders';
import type { DeviceQuery } from '../device-store';
import { deviceOrder } from './device-order';
import { TenantDevices } from './tenant-devices';

/** Whole numbers below a limit, the same in every run. */
function numbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

const WORDS = ['pump', 'PUMP', 'lamp', 'ß', '12', '1', '温度', '-', 'aaa', ' '];
const TEXTS = ['', 'p', 'um', 'ump', 'PUMP12', 'aaaa', '温', 'ß1', '-12', 'lampp', '\u0000', 'zz'];
const PROPERTIES = [undefined, 'createdTime', 'name', 'type', 'label'];
const PAGE_SIZE = 7;

/** The same list, by going through all devices. */
function plainList(devices: readonly Device[], query: DeviceQuery): string[] {
  const { sortProperty = 'createdTime', sortOrder, textSearch = '', type, customerId } = query;
  const fitting = devices.filter(
    (device) =>
      device.name.toLowerCase().includes(textSearch.toLowerCase()) &&
      (!type || device.type === type) &&
      (!customerId || device.customerId === customerId),
  );
  fitting.sort(deviceOrder(sortProperty));
  if (sortOrder !== 'ASC') fitting.reverse();
  return fitting.map(({ id }) => id);
}

describe('The devices of a tenant', () => {
  it.each([1, 2, 3])('are listed as by going through all of them, whatever has happened to them (%i)', async (seed) => {
    const any = numbers(seed);
    const one = <T>(of: readonly T[]): T => of[any(of.length)] as T;
    const profiles = ['kind', 'sort'].map((name) => aProfile({ name }));
    const name = (id: string) => `${one(WORDS)}${one(WORDS)}${one(WORDS)}${any(2) === 0 ? id.slice(0, 2) : ''}`;
    const devices = new Map<string, Device>();
    const tenant = new TenantDevices();
    for (let round = 0; round < 120; round++) {
      const changes = new Map<string, Device | undefined>();
      for (let n = any(20); n > 0; n--) {
        const known = one([...devices.keys(), undefined]);
        if (known && any(3) === 0) {
          devices.delete(known);
        } else {
          const former = known ? devices.get(known) : undefined;
          const device = aDevice(one(profiles), {
            ...(former ? { id: former.id } : {}),
            createdTime: CREATED + any(10),
            customerId: one(['c1', 'c2']),
            label: one([null, 'l', 'L', 'm']),
          });
          devices.set(device.id, { ...device, name: name(device.id) });
        }
        for (const id of [known, ...devices.keys()]) if (id) changes.set(id, devices.get(id));
      }
      tenant.apply([...changes]);
      const query: DeviceQuery = {
        page: any(4),
        pageSize: PAGE_SIZE,
        sortProperty: one(PROPERTIES),
        sortOrder: one(['ASC', 'DESC'] as const),
        textSearch: one(TEXTS),
        type: one([undefined, 'kind']),
        customerId: one([undefined, 'c1']),
      };
      for (let again = 0; again < 2; again++) {
        await tenant.prepare(query, async () => {});
        const { data, totalElements } = tenant.page(query);
        const plain = plainList([...devices.values()], query);
        const from = query.page * PAGE_SIZE;
        expect(data.map(({ id }) => id)).toEqual(plain.slice(from, from + PAGE_SIZE));
        expect(totalElements).toBe(plain.length);
      }
    }
  });

  it('are found by names of today only, however often they were renamed', async () => {
    const profile = aProfile();
    const tenant = new TenantDevices();
    const device = aDevice(profile, { name: 'name 0' });
    const search = (textSearch: string): DeviceQuery => ({ page: 0, pageSize: 10, textSearch });
    tenant.apply([[device.id, device]]);
    for (let n = 1; n < 3_000; n++) {
      await tenant.prepare(search('name'), async () => {});
      tenant.apply([[device.id, { ...device, name: `name ${n}` }]]);
    }
    await tenant.prepare(search('name'), async () => {});
    expect(tenant.page(search('NAME 2999')).totalElements).toBe(1);
    expect(tenant.page(search('name 2998')).totalElements).toBe(0);
    expect(tenant.page(search('name')).totalElements).toBe(1);
  });
});
