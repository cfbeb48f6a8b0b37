import type { DeviceSession } from '../auth/device-session';
import type { Core } from '../core';
import { over, useCore } from '../devices/testing/core-under-test';
import { WHOLE } from './download-cut';
import { FirmwareUnderTest } from './testing/firmware-under-test';

const used = useCore({ TANDEM_FIRMWARE_CACHE_MAX: '2', TANDEM_RATE_LIMIT_DEVICE_MSGS: '3:60' });
const firmware = new FirmwareUnderTest(used);

/** Another process, whose looks at devices are counted, and can be held up. */
function watched() {
  let looks = 0;
  let pause: Promise<void> | undefined;
  const core = used.another((state) => ({
    ...state,
    devices: over(state.devices, {
      getDevice: async (id) => {
        looks++;
        const found = await state.devices.getDevice(id);
        await pause;
        return found;
      },
    }),
  }));
  return {
    core,
    looks: () => looks,
    /** @returns lets it go on */
    hold(): () => void {
      let go = () => {};
      pause = new Promise((resolve) => {
        go = resolve;
      });
      return () => {
        pause = undefined;
        go();
      };
    },
  };
}

/** As a later block, which counts for no limit. */
const open = async (core: Core, session: DeviceSession, asked = {}) =>
  core.firmware.downloads.open(session, 'FIRMWARE', { ...WHOLE, ...asked }, true);

describe('The package a device has to get', () => {
  it('is its own, else that of its profile, and there is none of the other type', async () => {
    const device = await used.device('d');
    await expect(open(used.core, device)).rejects.toMatchObject({ code: 'NO_PACKAGE' });
    const [own, shared] = [await firmware.package(), await firmware.package()];
    await firmware.assignToProfile({ firmwareId: shared.id });
    expect((await open(used.core, device)).ota).toEqual(shared);
    await firmware.assignToDevice(device.deviceId, { firmwareId: own.id });
    expect(await open(used.core, device)).toMatchObject({ ota: own, start: 0, length: 12 });
    const software = async () => used.core.firmware.downloads.open(device, 'SOFTWARE', WHOLE, true);
    await expect(software()).rejects.toMatchObject({ code: 'NO_PACKAGE' });
  });

  it('is read once, and again after whatever may have changed it', async () => {
    const { core, looks } = watched();
    const device = await used.device('d');
    const ota = await firmware.package();
    await firmware.assignToProfile({ firmwareId: ota.id });
    const { tenantId } = used;
    const { deviceId } = device;
    const changes: [string, () => unknown][] = [
      ['nothing', () => {}],
      ['the device', () => used.core.devices.update(tenantId, { id: deviceId, name: 'renamed' })],
      [
        'its credentials',
        () =>
          used.core.devices.updateCredentials(tenantId, deviceId, {
            credentialsType: 'ACCESS_TOKEN',
            credentialsId: 'n',
          }),
      ],
      ['its profile', () => firmware.assignToProfile({ softwareId: null, firmwareId: ota.id })],
      ['what nobody knows', () => used.missChanges()],
    ];
    for (const [_, change] of changes) {
      await change();
      expect((await open(core, device)).ota).toEqual(ota);
      expect(core.firmware.downloads.open(device, 'FIRMWARE', WHOLE, true)).not.toBeInstanceOf(Promise);
    }
    expect(looks()).toBe(changes.length);
    await used.core.devices.delete(tenantId, deviceId);
    await expect(open(core, device)).rejects.toMatchObject({ code: 'NO_PACKAGE' });
  });

  it('that was read before a change is not kept after it', async () => {
    const { core, hold } = watched();
    const device = await used.device('d');
    const [before, after] = [await firmware.package(), await firmware.package()];
    await firmware.assignToDevice(device.deviceId, { firmwareId: before.id });
    const go = hold();
    const early = open(core, device);
    await used.quiet();
    await firmware.assignToDevice(device.deviceId, { firmwareId: after.id });
    go();
    await early;
    expect((await open(core, device)).ota).toEqual(after);
  });

  it('that was read while another device changed is kept', async () => {
    const { core, hold } = watched();
    const [device, other] = [await used.device('d'), await used.device('other')];
    await firmware.assignToDevice(device.deviceId, { firmwareId: (await firmware.package()).id });
    const go = hold();
    const early = open(core, device);
    await used.quiet();
    await used.core.devices.update(used.tenantId, { id: other.deviceId, name: 'renamed' });
    go();
    await early;
    expect(core.firmware.downloads.open(device, 'FIRMWARE', WHOLE, true)).not.toBeInstanceOf(Promise);
  });

  it('is remembered of so many devices and no more, with both of its types', async () => {
    const [fw, sw] = [await firmware.package(), await firmware.package({ type: 'SOFTWARE' })];
    await firmware.assignToProfile({ firmwareId: fw.id, softwareId: sw.id });
    const devices = [await used.device('a'), await used.device('b'), await used.device('c')];
    for (const device of devices) {
      for (const type of ['FIRMWARE', 'SOFTWARE'] as const) {
        await used.core.firmware.downloads.open(device, type, WHOLE, true);
      }
    }
    expect(used.gauge('tandem_firmware_devices_cached')).toBe(2);
    const known = devices.map(
      (device) => !(used.core.firmware.downloads.open(device, 'SOFTWARE', WHOLE, true) instanceof Promise),
    );
    expect(known).toEqual([false, true, true]);
  });

  it('is refused under another title or version', async () => {
    const device = await used.device('d');
    const { id, title, version } = await firmware.package();
    await firmware.assignToDevice(device.deviceId, { firmwareId: id });
    for (const asked of [{ title: 'x', version }, { title, version: '' }, { title: title.toUpperCase() }]) {
      await expect(open(used.core, device, asked)).rejects.toMatchObject({ code: 'OTHER_PACKAGE' });
    }
    expect((await open(used.core, device, { title, version })).length).toBe(12);
  });

  it('counts as a message when it is asked for, and not with every block', async () => {
    const device = await used.device('d');
    await firmware.assignToDevice(device.deviceId, { firmwareId: (await firmware.package()).id });
    const first = async () => used.core.firmware.downloads.open(device, 'FIRMWARE', WHOLE);
    for (let n = 0; n < 3; n++) await first();
    for (let n = 0; n < 10; n++) await open(used.core, device);
    await expect(first()).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
  });

  it('is there in parts, and gone when it was taken away and deleted meanwhile', async () => {
    const device = await used.device('d');
    const ota = await firmware.package();
    await firmware.assignToDevice(device.deviceId, { firmwareId: ota.id });
    const { downloads } = used.core.firmware;
    const part = await open(used.core, device, { size: 5, chunk: 1 });
    const pieces: Buffer[] = [];
    for await (const piece of downloads.read(part, 1, 3)) pieces.push(piece);
    expect(Buffer.concat(pieces).toString()).toBe('rmw');
    expect((await downloads.block(part, 0, 5)).toString()).toBe('irmwa');
    await used.core.devices.update(used.tenantId, { id: device.deviceId, name: 'd', firmwareId: undefined });
    await used.core.firmware.packages.delete(used.tenantId, ota.id);
    await expect(downloads.block(part, 0, 5)).rejects.toMatchObject({ code: 'NO_PACKAGE' });
    await expect(downloads.read(part, 0, 5).next()).rejects.toMatchObject({ code: 'NO_PACKAGE' });
  });

  it('has a tag of eight bytes, which other bytes do not have', async () => {
    const device = await used.device('d');
    const tags = [];
    for (let n = 0; n < 2; n++) {
      await firmware.assignToDevice(device.deviceId, { firmwareId: (await firmware.package()).id });
      tags.push((await open(used.core, device)).tag.toString('hex'));
    }
    expect(tags[0]).toMatch(/^[0-9a-f]{16}$/);
    expect(tags[1]).not.toBe(tags[0]);
  });
});
