import type { Uuid } from '../devices/model';
import type { MetricsRegistry } from '../platform/metrics';
import type { SessionChange } from '../state/device-store';
import type { State } from '../state/state';
import { packageIdOf } from './assigned-package';
import type { OtaPackage, PackageType } from './model';

/** A package whose bytes are here. What is in it never changes, but that it is deleted when nobody has to get it any more. */
export type PackageWithData = OtaPackage & { readonly dataId: Uuid; readonly dataSize: number };

interface Entry {
  readonly profileId: Uuid;
  readonly packages: Partial<Record<PackageType, PackageWithData>>;
}

/**
 * Which package a device has to get: three reads of the store, and a download by CoAP asks a hundred thousand times. So a
 * process cache answers all but the first; a change of the device, its credentials or its profile drops what it touches before
 * it is acknowledged. That a device has to get none is not remembered.
 */
export class KnownPackages {
  readonly #known = new Map<Uuid, Entry>();
  /** Counts the changes heard: what was read before a change must not be kept after it. */
  #changes = 0;
  /** Devices of one profile share it: there may be very many of them. */
  #newest: PackageWithData | undefined;

  /** @param max devices */
  constructor(
    private readonly stores: Pick<State, 'devices' | 'firmware'>,
    private readonly max: number,
    metrics: MetricsRegistry,
  ) {
    stores.devices.onSessionChange((change) => this.#forget(change));
    metrics.gauge(
      'tandem_firmware_devices_cached',
      'Devices of which the process knows the package they have to get',
      () => this.#known.size,
    );
  }

  /** Where it is known: the way of nearly every block, without a promise. */
  cached(deviceId: Uuid, type: PackageType): PackageWithData | undefined {
    return this.#known.get(deviceId)?.packages[type];
  }

  /** @returns undefined where there is none, or only a URL. @throws TandemError STORE_UNAVAILABLE */
  async of(deviceId: Uuid, type: PackageType): Promise<PackageWithData | undefined> {
    const { devices, firmware } = this.stores;
    const before = this.#changes;
    const device = await devices.getDevice(deviceId);
    if (!device) return undefined;
    const id = packageIdOf(device, await devices.getProfileInfo(device.deviceProfileId), type);
    const ota = id === null ? undefined : await firmware.get(id);
    if (!ota || !isHere(ota)) return undefined;
    if (before === this.#changes) this.#keep(deviceId, device.deviceProfileId, type, ota);
    return ota;
  }

  #keep(deviceId: Uuid, profileId: Uuid, type: PackageType, ota: PackageWithData): void {
    if (this.#newest?.dataId !== ota.dataId) this.#newest = ota;
    const packages = { ...this.#known.get(deviceId)?.packages, [type]: this.#newest };
    const [oldest] = this.#known.size >= this.max && !this.#known.has(deviceId) ? this.#known.keys() : [];
    if (oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(deviceId, { profileId, packages });
  }

  #forget(change: SessionChange): void {
    this.#changes++;
    if (change.kind === 'missed') this.#known.clear();
    else if (change.kind !== 'profile') this.#known.delete(change.deviceId);
    else for (const [id, { profileId }] of this.#known) if (profileId === change.profileId) this.#known.delete(id);
  }
}

const isHere = (ota: OtaPackage): ota is PackageWithData => ota.dataId !== null && ota.dataSize !== null;
