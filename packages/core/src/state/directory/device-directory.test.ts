import type { Device } from '../../devices/model';
import { TandemError } from '../../errors';
import { MetricsRegistry } from '../../platform/metrics';
import { aDevice, aProfile } from '../../testing/builders';
import { FakeClock } from '../../testing/fake-clock';
import { DeviceDirectory, type DirectorySource } from './device-directory';

const PAGE = { page: 0, pageSize: 100, sortProperty: 'name', sortOrder: 'ASC' } as const;

/** What is stored, and how often it was read. */
class Source implements DirectorySource {
  readonly devices = new Map<string, Device>();
  loads = 0;
  /** Awaited in the middle of a load. */
  meanwhile: () => Promise<void> = async () => {};
  fault: TandemError | undefined;

  async *all(): AsyncGenerator<Device[]> {
    this.loads++;
    const all = [...this.devices.values()];
    yield all.slice(0, 2);
    await this.meanwhile();
    yield all.slice(2);
  }

  async read(ids: readonly string[]): Promise<(Device | undefined)[]> {
    if (this.fault) throw this.fault;
    return ids.map((id) => this.devices.get(id));
  }

  async profileName(): Promise<string | undefined> {
    if (this.fault) throw this.fault;
    return 'renamed';
  }

  async upToDate(): Promise<void> {}
  async giveWay(): Promise<void> {}
}

function make(maxDevices = 100) {
  const [source, clock] = [new Source(), new FakeClock()];
  const directory = new DeviceDirectory(source, { maxDevices, clock, metrics: new MetricsRegistry() });
  const profile = aProfile();
  const put = (given: Partial<Device>): Device => {
    const device = aDevice(profile, given);
    source.devices.set(device.id, device);
    directory.deviceChanged(device.id);
    return device;
  };
  const names = async (textSearch?: string) =>
    (await directory.list(profile.tenantId, { ...PAGE, textSearch })).data.map(({ name }) => name);
  return { source, clock, directory, profile, put, names };
}

describe('The directory of devices', () => {
  it('reads all devices at the first list, and then only those that change', async () => {
    const { source, put, names } = make();
    put({ name: 'a' });
    expect([await names(), source.loads]).toEqual([['a'], 1]);
    put({ name: 'b' });
    expect([await names(), await names('B'), source.loads]).toEqual([['a', 'b'], ['b'], 1]);
  });

  it('reads once for all who ask while it reads', async () => {
    const { source, put, names } = make();
    put({ name: 'a' });
    expect(await Promise.all([names(), names(), names('a')])).toEqual([['a'], ['a'], ['a']]);
    expect(source.loads).toBe(1);
  });

  it('gives up its memory when nobody lists devices for ten minutes', async () => {
    const { source, clock, put, names } = make();
    put({ name: 'a' });
    await names();
    clock.advance(599_000);
    await names();
    clock.advance(599_000);
    await names();
    expect([source.loads, clock.timers]).toEqual([1, 1]);
    clock.advance(1_200_000);
    expect(clock.timers).toBe(0);
    expect([await names(), source.loads]).toEqual([['a'], 2]);
  });

  it('does not miss a device that changes while it reads', async () => {
    const { source, directory, put, names } = make();
    const [first] = ['a', 'b', 'c'].map((name) => put({ name }));
    if (!first) throw new Error('no device');
    source.meanwhile = async () => {
      source.devices.set(first.id, { ...first, name: 'changed' });
      directory.deviceChanged(first.id);
    };
    expect(await names()).toEqual(['b', 'c', 'changed']);
  });

  it('reads all again when changes may have been missed, also while it reads', async () => {
    const { source, directory, put, names } = make();
    const [first] = ['a', 'b', 'c'].map((name) => put({ name }));
    if (!first) throw new Error('no device');
    source.meanwhile = async () => {
      source.meanwhile = async () => {};
      source.devices.delete(first.id);
      directory.forget();
    };
    expect([await names(), source.loads]).toEqual([['b', 'c'], 2]);
    source.devices.set(first.id, first);
    directory.forget();
    expect([await names(), source.loads]).toEqual([['a', 'b', 'c'], 3]);
  });

  it('shows no list while it cannot read what changed, and the right one when it can again', async () => {
    const { source, directory, profile, put, names } = make();
    put({ name: 'a' });
    await names();
    put({ name: 'b' });
    directory.profileChanged(profile.id);
    source.fault = new TandemError('STORE_UNAVAILABLE');
    for (let n = 0; n < 2; n++) await expect(names()).rejects.toBe(source.fault);
    source.fault = undefined;
    for (const [id, device] of source.devices) source.devices.set(id, { ...device, type: 'renamed' });
    expect(await names()).toEqual(['a', 'b']);
    const { data } = await directory.list(profile.tenantId, { ...PAGE, type: 'renamed' });
    expect(data.length).toBe(2);
  });

  it('keeps no more devices than it may, and lists them all the same', async () => {
    const { source, clock, put, names } = make(2);
    const made = ['a', 'b'].map((name) => put({ name }));
    expect([await names(), source.loads, clock.timers]).toEqual([['a', 'b'], 1, 1]);
    made.push(put({ name: 'c' }));
    expect([await names(), clock.timers]).toEqual([['a', 'b', 'c'], 0]);
    const loads = source.loads;
    expect([await names('C'), source.loads]).toEqual([['c'], loads + 1]);
    source.devices.delete(made[0]?.id ?? '');
    await names();
    await names();
    expect([await names(), source.loads, clock.timers]).toEqual([['b', 'c'], loads + 3, 1]);
  });

  it('forgets everything when it is closed', async () => {
    const { directory, clock, put, names } = make();
    put({ name: 'a' });
    await names();
    directory.close();
    expect(clock.timers).toBe(0);
  });
});
