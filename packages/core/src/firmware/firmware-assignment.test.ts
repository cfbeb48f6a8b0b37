import { randomUUID } from 'node:crypto';
import { over, useCore } from '../devices/testing/core-under-test';
import { entriesOf } from '../testing/builders';
import type { OtaPackage } from './model';
import { FirmwareUnderTest } from './testing/firmware-under-test';

const used = useCore();
const firmware = new FirmwareUnderTest(used);

const device = async (name = 'thermometer') => (await used.device(name)).deviceId;
const head = async (id: string) => (await used.core.state.events.head(id)).offset;

describe('A device that gets a package', () => {
  it('learns of it by shared attributes, of which title and version are texts whatever they look like', async () => {
    const id = await device();
    const ota = await firmware.package({ title: '42', version: '1.0' });
    await firmware.assignToDevice(id, { firmwareId: ota.id });
    expect(await firmware.shared(id)).toEqual({
      fw_checksum: `"${ota.checksum}"`,
      fw_checksum_algorithm: '"CRC32"',
      fw_size: '12',
      fw_title: '"42"',
      fw_version: '"1.0"',
    });
    expect(await head(id)).toBe(1);
  });

  it('has the target and the states QUEUED and INITIATED in its time series', async () => {
    const id = await device();
    const ota = await firmware.package({ title: 'App', version: '2', type: 'SOFTWARE', tag: 'App 2' });
    await firmware.assignToDevice(id, { softwareId: ota.id });
    const ts = `${used.clock.now()}`;
    expect(await firmware.telemetry(id)).toEqual({
      sw_state: ['0 "QUEUED"', '1 "INITIATED"'],
      target_sw_tag: ['0 "App 2"'],
      target_sw_title: ['0 "App"'],
      target_sw_ts: [`0 ${ts}`],
      target_sw_version: ['0 "2"'],
    });
    expect(await firmware.shared(id)).toMatchObject({ sw_tag: '"App 2"', sw_title: '"App"' });
  });

  it('is told where the file is when it is elsewhere, and no more once it is here', async () => {
    const id = await device();
    const elsewhere = await firmware.package({ url: 'coap://example.org/fw', tag: 'tagged' });
    await firmware.assignToDevice(id, { firmwareId: elsewhere.id });
    expect(await firmware.shared(id)).toEqual({
      fw_tag: '"tagged"',
      fw_title: `"${elsewhere.title}"`,
      fw_url: '"coap://example.org/fw"',
      fw_version: '"1.0"',
    });
    const here = await firmware.package();
    await firmware.assignToDevice(id, { firmwareId: here.id });
    expect(Object.keys(await firmware.shared(id))).toEqual([
      'fw_checksum',
      'fw_checksum_algorithm',
      'fw_size',
      'fw_title',
      'fw_version',
    ]);
    const read = await used.core.state.events.read(id, { ...(await used.core.state.events.head(id)), offset: 1 }, 9);
    expect(read).toMatchObject({ events: [{ deleted: ['fw_tag', 'fw_url'] }, { deleted: [] }] });
    await firmware.assignToDevice(id, { firmwareId: elsewhere.id });
    expect(await firmware.shared(id)).not.toHaveProperty('fw_size');
  });

  it('loses all of it when the package is taken away, and hears of that', async () => {
    const id = await device();
    const { attributes } = used.core.state;
    const ota = await firmware.package();
    await firmware.assignToDevice(id, { firmwareId: ota.id });
    await attributes.save(
      id,
      'SHARED',
      entriesOf({ fw_state: '"x"', fw_ts: '1', mode: '"eco"', sw_title: '"own"' }),
      1,
    );
    await firmware.assignToDevice(id, {});
    expect(await firmware.shared(id)).toEqual({ mode: '"eco"', sw_title: '"own"' });
    const position = await used.core.state.events.head(id);
    const read = await used.core.state.events.read(id, { ...position, offset: position.offset - 1 }, 9);
    expect(read).toMatchObject({ events: [{ updated: [] }] });
    const deleted = read.kind === 'events' ? read.events[0]?.deleted : [];
    expect([...(deleted ?? [])].sort()).toEqual(
      ['checksum', 'checksum_algorithm', 'size', 'state', 'title', 'ts', 'version'].map((name) => `fw_${name}`),
    );
  });

  it('is told nothing by a save that changes none of its packages', async () => {
    const id = await device();
    const ota = await firmware.package();
    await used.core.state.attributes.save(id, 'SHARED', entriesOf({ sw_title: '"of somebody else"' }), 1);
    await firmware.assignToDevice(id, { firmwareId: ota.id });
    const before = await head(id);
    await firmware.assignToDevice(id, { firmwareId: ota.id });
    expect(await head(id)).toBe(before);
    expect(await firmware.shared(id)).toHaveProperty('sw_title', '"of somebody else"');
  });
});

describe('The package of a profile', () => {
  it('is told at once to a device that is made in it, but for one with a package of its own', async () => {
    const [common, own] = [await firmware.package({ title: 'common' }), await firmware.package({ title: 'own' })];
    await firmware.assignToProfile({ firmwareId: common.id });
    const id = await device();
    expect(await firmware.shared(id)).toHaveProperty('fw_title', '"common"');
    await firmware.assignToDevice(id, { firmwareId: own.id });
    expect(await firmware.shared(id)).toHaveProperty('fw_title', '"own"');
    await firmware.assignToDevice(id, {});
    expect(await firmware.shared(id)).toHaveProperty('fw_title', '"common"');
    const other = await used.core.devices.create(used.tenantId, { name: 'other', firmwareId: own.id });
    expect(await firmware.shared(other.id)).toHaveProperty('fw_title', '"own"');
  });

  it('is told at once to a device that is moved to it, and taken from one that leaves it', async () => {
    const ota = await firmware.package();
    await firmware.assignToProfile({ softwareId: undefined, firmwareId: ota.id });
    const home = await firmware.profile();
    const id = (await used.core.devices.create(used.tenantId, { name: 'wanderer', type: 'another' })).id;
    expect(await firmware.shared(id)).toEqual({});
    const away = (await used.core.devices.get(used.tenantId, id)).deviceProfileId;
    await firmware.assignToDevice(id, { deviceProfileId: home.id });
    expect(await firmware.shared(id)).toHaveProperty('fw_title', `"${ota.title}"`);
    await firmware.assignToDevice(id, { deviceProfileId: away });
    expect(await firmware.shared(id)).toEqual({});
  });

  it('reaches also a device that was made while the profile changed', async () => {
    const ota = await firmware.package();
    const slow = used.another((state) => ({
      ...state,
      devices: over(state.devices, {
        createDevice: async (...args) => {
          // The rollout goes by before the device is there.
          await firmware.assignToProfile({ firmwareId: ota.id });
          while (await used.core.firmware.rollouts.work());
          return state.devices.createDevice(...args);
        },
      }),
    }));
    const { id } = await slow.devices.create(used.tenantId, { name: 'late' });
    expect(await firmware.shared(id)).toHaveProperty('fw_title', `"${ota.title}"`);
  });
});

describe('A package that does not fit', () => {
  it.each<[string, Partial<OtaPackage> | undefined, string]>([
    ['is of another type', { type: 'SOFTWARE' }, "Can't assign firmware with type: SOFTWARE"],
    ['is of another tenant', { tenantId: randomUUID() }, "Can't assign non-existent firmware!"],
    ['is of another profile', { deviceProfileId: randomUUID() }, "Can't assign firmware with different deviceProfile!"],
    ['is of no profile', { deviceProfileId: null }, "Can't assign firmware with different deviceProfile!"],
    ['is not there', undefined, "Can't assign non-existent firmware!"],
  ])('is refused when it %s, and nothing is changed', async (_, given, message) => {
    const id = await device();
    const firmwareId = given ? (await firmware.package(given)).id : randomUUID();
    await expect(firmware.assignToDevice(id, { firmwareId })).rejects.toMatchObject({ code: 'BAD_REQUEST', message });
    await expect(firmware.assignToProfile({ firmwareId })).rejects.toMatchObject({ code: 'BAD_REQUEST', message });
    const create = used.core.devices.create(used.tenantId, { name: 'new', firmwareId });
    await expect(create).rejects.toMatchObject({ code: 'BAD_REQUEST', message });
    expect(await used.core.devices.get(used.tenantId, id)).toMatchObject({ firmwareId: null, version: 1 });
    expect((await firmware.profile()).firmwareId).toBeNull();
    expect(await firmware.deviceIds()).toEqual([id]);
    expect(await used.core.state.rollouts.count()).toBe(0);
  });

  it('is refused as long as it has neither data nor a URL', async () => {
    const id = await device();
    const ota = await firmware.package({ type: 'SOFTWARE', url: '' });
    const assign = () => firmware.assignToDevice(id, { softwareId: ota.id });
    await expect(assign()).rejects.toMatchObject({ message: "Can't assign software with empty data!" });
    await firmware.withData(ota);
    expect(await assign()).toMatchObject({ softwareId: ota.id });
  });

  it('is refused for a device that moves and takes its own along', async () => {
    const id = await device();
    const ota = await firmware.package();
    await firmware.assignToDevice(id, { firmwareId: ota.id });
    const elsewhere = (await used.core.devices.create(used.tenantId, { name: 'x', type: 'other' })).deviceProfileId;
    const move = firmware.assignToDevice(id, { firmwareId: ota.id, deviceProfileId: elsewhere });
    await expect(move).rejects.toMatchObject({ message: "Can't assign firmware with different deviceProfile!" });
  });
});

describe('What is to be told to a device', () => {
  it('is told later when the store does not take it now, and the save stands', async () => {
    const id = await device();
    const ota = await firmware.package();
    const { attributes } = used.core.state;
    const save = jest.spyOn(attributes, 'save').mockRejectedValue(new Error('away'));
    expect(await firmware.assignToDevice(id, { firmwareId: ota.id })).toMatchObject({ firmwareId: ota.id });
    expect(await firmware.shared(id)).toEqual({});
    save.mockRestore();
    while (await used.core.firmware.rollouts.work());
    expect(await firmware.shared(id)).toHaveProperty('fw_title', `"${ota.title}"`);
    // Told twice over, it is there once.
    expect((await firmware.telemetry(id)).fw_state).toEqual(['0 "QUEUED"', '1 "INITIATED"']);
    expect(await used.core.state.rollouts.count()).toBe(0);
  });

  it('is told by another process when this one dies right after the save', async () => {
    const id = await device();
    const ota = await firmware.package();
    const dying = used.another((state) => ({
      ...state,
      devices: over(state.devices, {
        updateDevice: async (...args) => {
          await state.devices.updateDevice(...args);
          throw new Error('killed');
        },
      }),
    }));
    const update = dying.devices.update(used.tenantId, { id, name: 'thermometer', firmwareId: ota.id });
    await expect(update).rejects.toThrow('killed');
    const other = used.another().firmware.rollouts;
    expect(await other.work()).toBe(false);
    used.clock.advance(60_000);
    expect(await other.work()).toBe(true);
    expect(await firmware.shared(id)).toHaveProperty('fw_title', `"${ota.title}"`);
  });
});
