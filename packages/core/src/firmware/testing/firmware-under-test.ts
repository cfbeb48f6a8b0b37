import type { Core } from '../../core';
import type { DeviceProfile, Uuid } from '../../devices/model';
import { aPackage } from '../../testing/builders';
import { accepted } from '../../testing/store-under-test';
import type { OtaPackage } from '../model';

const PAGE = { page: 0, pageSize: 1_000 };

/** What tests of firmware do with a core. */
export class FirmwareUnderTest {
  constructor(private readonly used: { readonly core: Core; readonly tenantId: Uuid }) {}

  async profile(): Promise<DeviceProfile> {
    const { core, tenantId } = this.used;
    return core.profiles.get(tenantId, (await core.profiles.default(tenantId)).id);
  }

  /** A package of the default profile, with data of its own where none are given. */
  async package(given: Partial<OtaPackage> = {}, data?: string | Buffer): Promise<OtaPackage> {
    const { state } = this.used.core;
    const { tenantId } = this.used;
    const profile = await this.profile();
    const ota = accepted(await state.firmware.create(aPackage({ tenantId, deviceProfileId: profile.id, ...given })));
    return ota.url === null ? this.withData(ota, data) : ota;
  }

  async withData(
    ota: OtaPackage,
    data: string | Buffer = 'the firmware',
    fileName = 'fw.bin',
    contentType = 'application/octet-stream',
  ): Promise<OtaPackage> {
    return this.used.core.firmware.data.upload(
      ota,
      { fileName, contentType, bytes: pieces(Buffer.from(data)) },
      { algorithm: 'CRC32' },
    );
  }

  /** Assigns to the default profile. */
  async assignToProfile(change: Partial<Pick<DeviceProfile, 'firmwareId' | 'softwareId'>>): Promise<void> {
    const before = await this.profile();
    const after = { ...before, ...change };
    const { core } = this.used;
    accepted(await core.firmware.assignment.saveProfile(before, after, () => core.state.devices.updateProfile(after)));
  }

  async assignToDevice(id: Uuid, change: { firmwareId?: Uuid; softwareId?: Uuid; deviceProfileId?: Uuid }) {
    const { core, tenantId } = this.used;
    const { name, deviceProfileId } = await core.devices.get(tenantId, id);
    return core.devices.update(tenantId, { id, name, deviceProfileId, ...change });
  }

  /** The shared attributes of a device, in the order of their keys. */
  async shared(deviceId: Uuid): Promise<Record<string, string>> {
    const attributes = await this.used.core.state.attributes.read(deviceId, 'SHARED');
    return Object.fromEntries(attributes.map(({ key, value }) => [key, value] as const).sort());
  }

  /** All that was noted in the time series of a device: `<ts> <value>` by key. */
  async telemetry(deviceId: Uuid): Promise<Record<string, string[]>> {
    const { materialiser, telemetryView } = this.used.core.state;
    await materialiser.start();
    await materialiser.caughtUp();
    const series: Record<string, string[]> = {};
    for (const key of (await telemetryView.keys(deviceId)).sort()) {
      const range = { startTs: 0, endTs: Number.MAX_SAFE_INTEGER, limit: 1_000, order: 'ASC' } as const;
      const points = await telemetryView.history(deviceId, key, range);
      series[key] = points.map(({ ts, value }) => `${ts - this.used.core.clock.now()} ${value}`);
    }
    await materialiser.stop();
    return series;
  }

  async deviceIds(): Promise<Uuid[]> {
    const { data } = await this.used.core.devices.list(this.used.tenantId, PAGE);
    return data.map(({ id }) => id);
  }
}

async function* pieces(bytes: Buffer): AsyncGenerator<Buffer> {
  const size = Math.max(5, Math.ceil(bytes.length / 10));
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
