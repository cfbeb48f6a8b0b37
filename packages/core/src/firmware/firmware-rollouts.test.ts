import type { Core } from '../core';
import { over, useCore } from '../devices/testing/core-under-test';
import type { MetricName } from '../platform/metrics';
import { FirmwareUnderTest } from './testing/firmware-under-test';

const used = useCore({ TANDEM_FIRMWARE_ROLLOUT_STEP: '10', TANDEM_FIRMWARE_ROLLOUT_PAUSE: '0' });
const firmware = new FirmwareUnderTest(used);

async function makeDevices(count: number): Promise<string[]> {
  for (let n = 0; n < count; n++) await used.core.devices.create(used.tenantId, { name: `device ${n}` });
  return firmware.deviceIds();
}

async function aMoment(): Promise<void> {
  used.clock.advance(0);
  await new Promise((resolve) => setImmediate(resolve));
}

/** Time passes while there is something to do, so that pauses end. */
async function workAll(core: Core, stopped?: () => boolean): Promise<void> {
  for (let more = true; more; ) {
    const working = core.firmware.rollouts.work(stopped);
    let over = false;
    void working.finally(() => {
      over = true;
    });
    while (!over) await aMoment();
    more = await working;
  }
}

const titles = async (ids: readonly string[]) =>
  Promise.all(ids.map(async (id) => (await firmware.shared(id)).fw_title));
const counter = (core: Core, name: MetricName) => core.metrics.value(name);

describe('A package that is assigned to a profile', () => {
  it('is told to all its devices but those with their own, and said to be when it is done', async () => {
    const ids = await makeDevices(123);
    const [common, own] = [await firmware.package({ title: 'common' }), await firmware.package({ title: 'own' })];
    const [first = '', ...rest] = ids;
    await firmware.assignToDevice(first, { firmwareId: own.id });
    await firmware.assignToProfile({ firmwareId: common.id });
    expect(await firmware.shared(rest[0] ?? '')).toEqual({});
    await workAll(used.core);
    expect(await titles([first])).toEqual(['"own"']);
    expect(new Set(await titles(rest))).toEqual(new Set(['"common"']));
    expect(await used.core.state.rollouts.count()).toBe(0);
    const profileId = common.deviceProfileId;
    expect(used.log.filter(({ message }) => message.startsWith('rollout')).map(({ fields }) => fields)).toEqual([
      { profileId, type: 'FIRMWARE', devices: 0 },
      { profileId, type: 'FIRMWARE', devices: 122 },
    ]);
    expect(counter(used.core, 'tandem_firmware_devices_told_total')).toBe(122);
    expect(counter(used.core, 'tandem_firmware_rollouts')).toBe(0);
  });

  it('is told to each device once, though a process dies in the middle and others go on', async () => {
    const ids = await makeDevices(60);
    const ota = await firmware.package();
    await firmware.assignToProfile({ firmwareId: ota.id });
    let left = 25;
    const dying = used.another((state) => ({
      ...state,
      attributes: over(state.attributes, {
        save: async (...args) => {
          if (left-- <= 0) return new Promise(() => {});
          return state.attributes.save(...args);
        },
      }),
    }));
    dying.firmware.rollouts.work().catch(() => {});
    const told = async () => (await titles(ids)).filter(Boolean).length;
    while ((await told()) < 25) await aMoment();

    const other = used.another();
    expect(await other.firmware.rollouts.work()).toBe(false);
    used.clock.advance(60_000);
    await workAll(other);
    expect(new Set(await titles(ids))).toEqual(new Set([`"${ota.title}"`]));
    for (const id of ids) expect((await used.core.state.events.head(id)).offset).toBe(1);
    // One that was told before, one in the middle of which the process died, one after that.
    const order = [...ids].sort();
    for (const id of [order[0], order[27], order[59]].flatMap((id) => id ?? [])) {
      expect((await firmware.telemetry(id)).fw_state).toEqual(['-60000 "QUEUED"', '-59999 "INITIATED"']);
    }
  });

  it('supersedes the one before, also while that is being told', async () => {
    const ids = await makeDevices(45);
    const [old, next] = [await firmware.package({ title: 'old' }), await firmware.package({ title: 'next' })];
    await firmware.assignToProfile({ firmwareId: old.id });
    let steps = 0;
    await workAll(used.core, () => ++steps === 2);
    steps = 0;
    await firmware.assignToProfile({ firmwareId: old.id });
    await firmware.assignToProfile({ firmwareId: next.id });
    await workAll(used.core);
    expect(new Set(await titles(ids))).toEqual(new Set(['"next"']));
    expect(await used.core.state.rollouts.count()).toBe(0);
  });

  it('is taken from all its devices when it is taken from the profile', async () => {
    const ids = await makeDevices(25);
    const ota = await firmware.package();
    await firmware.assignToProfile({ firmwareId: ota.id });
    await workAll(used.core);
    await firmware.assignToProfile({ firmwareId: null });
    await workAll(used.core);
    for (const id of ids) expect(await firmware.shared(id)).toEqual({});
  });

  it('waits for a store that does not take it, and does not wait for a device in which something is wrong', async () => {
    const ids = await makeDevices(30);
    const ota = await firmware.package();
    await firmware.assignToProfile({ firmwareId: ota.id });
    const { telemetryLog, attributes } = used.core.state;
    const { TandemError } = jest.requireActual<typeof import('../errors')>('../errors');
    const full = jest.spyOn(telemetryLog, 'append').mockRejectedValue(new TandemError('BACKLOG_FULL'));
    await expect(used.core.firmware.rollouts.work()).rejects.toMatchObject({ code: 'BACKLOG_FULL' });
    full.mockRestore();
    expect(await used.core.firmware.rollouts.work()).toBe(false);

    const read = attributes.read.bind(attributes);
    jest
      .spyOn(attributes, 'read')
      .mockImplementation(async (id, ...rest) =>
        id === ids[3] ? Promise.reject(new TandemError('INTERNAL')) : read(id, ...rest),
      );
    used.clock.advance(2_000);
    await workAll(used.core);
    jest.restoreAllMocks();
    expect((await titles(ids)).filter((title) => title === undefined)).toHaveLength(1);
    expect(used.log).toContainEqual(expect.objectContaining({ message: 'a device could not be told of its firmware' }));
    expect(counter(used.core, 'tandem_firmware_devices_failed_total')).toBe(1);
    expect(await used.core.state.rollouts.count()).toBe(0);
  });
});
