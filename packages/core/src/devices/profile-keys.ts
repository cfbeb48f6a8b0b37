import type { AttributeScope, AttributeStore } from '../state/attribute-store';
import type { DeviceStore } from '../state/device-store';
import type { TelemetryView } from '../state/telemetry-view';
import type { ProfileInfo, Uuid } from './model';

/** Of how many devices the keys are gathered, the newest: they are suggestions, and the work has to end. */
const DEVICES = 100;
/** Devices read at the same time. */
const READERS = 8;
const MAX_KEYS = 10_000;
const SCOPES: readonly AttributeScope[] = ['CLIENT', 'SHARED', 'SERVER'];

/** Which keys the devices of a profile have (server contract 4.1). */
export class ProfileKeys {
  constructor(
    private readonly devices: DeviceStore,
    private readonly attributeStore: AttributeStore,
    private readonly view: TelemetryView,
  ) {}

  /** In order, each once. @param profile undefined: of all profiles of the tenant */
  timeSeries(tenantId: Uuid, profile: ProfileInfo | undefined): Promise<string[]> {
    return this.#gather(tenantId, profile, (deviceId) => this.view.keys(deviceId));
  }

  /** Of all scopes. As `timeSeries`. */
  attributes(tenantId: Uuid, profile: ProfileInfo | undefined): Promise<string[]> {
    return this.#gather(tenantId, profile, async (deviceId) => {
      const scopes = await Promise.all(SCOPES.map((scope) => this.attributeStore.read(deviceId, scope)));
      return scopes.flat().map(({ key }) => key);
    });
  }

  async #gather(
    tenantId: Uuid,
    profile: ProfileInfo | undefined,
    keysOf: (deviceId: Uuid) => Promise<readonly string[]>,
  ): Promise<string[]> {
    const { data } = await this.devices.listDevices(tenantId, { page: 0, pageSize: DEVICES, type: profile?.name });
    const keys = new Set<string>();
    for (let at = 0; at < data.length && keys.size < MAX_KEYS; at += READERS) {
      const read = await Promise.all(data.slice(at, at + READERS).map(({ id }) => keysOf(id)));
      for (const key of read.flat()) keys.add(key);
    }
    return [...keys].sort().slice(0, MAX_KEYS);
  }
}
