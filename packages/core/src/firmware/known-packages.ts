import { createHash } from 'node:crypto';
import type { Uuid } from '../devices/model';
import { RecentChanges } from '../devices/recent-changes';
import type { MetricsRegistry } from '../platform/metrics';
import type { SessionChange } from '../state/device-store';
import type { State } from '../state/state';
import { packageIdOf } from './assigned-package';
import type { OtaPackage, PackageType } from './model';

/** A package whose bytes are here. What is in it never changes, but that it is deleted when nobody has to get it any more. */
export type PackageWithData = OtaPackage & { readonly dataId: Uuid; readonly dataSize: number };

export interface KnownPackage {
  readonly ota: PackageWithData;
  /** Names its bytes for good: other bytes have another one. 8 bytes (RFC 7252 section 5.10.6). */
  readonly tag: Buffer;
}

interface Entry {
  readonly profileId: Uuid;
  readonly packages: Partial<Record<PackageType, KnownPackage>>;
}

/** Devices and profiles that are remembered to have changed, while the store is read. */
const MAX_CHANGES = 1_000;

/**
 * Which package a device has to get: three reads of the store, and a download by CoAP asks a hundred thousand times. So a
 * process cache answers all but the first; a change of the device, its credentials or its profile drops what it touches before
 * it is acknowledged. That a device has to get none is not remembered.
 */
export class KnownPackages {
  readonly #known = new Map<Uuid, Entry>();
  /** Of devices and profiles: what was read before a change must not be kept after it. */
  readonly #changes = new RecentChanges(MAX_CHANGES);
  /** Devices of one profile share it: there may be very many of them. */
  #newest: KnownPackage | undefined;

  /** @param max devices */
  constructor(
    private readonly stores: Pick<State, 'devices' | 'firmware'>,
    private readonly max: number,
    metrics: MetricsRegistry,
  ) {
    stores.devices.onSessionChange((change) => this.#forget(change));
    metrics.gauge('tandem_firmware_devices_cached', () => this.#known.size);
  }

  /** Where it is known: the way of nearly every block, without a promise. */
  cached(deviceId: Uuid, type: PackageType): KnownPackage | undefined {
    return this.#known.get(deviceId)?.packages[type];
  }

  /** @returns undefined where there is none, or only a URL. @throws TandemError STORE_UNAVAILABLE */
  async of(deviceId: Uuid, type: PackageType): Promise<KnownPackage | undefined> {
    const { devices, firmware } = this.stores;
    const before = this.#changes.count;
    const device = await devices.getDevice(deviceId);
    if (!device) return undefined;
    const { deviceProfileId: profileId } = device;
    const id = packageIdOf(device, await devices.getProfileInfo(profileId), type);
    const ota = id === null ? undefined : await firmware.get(id);
    if (!ota || !isHere(ota)) return undefined;
    if (this.#newest?.ota.dataId !== ota.dataId) this.#newest = { ota, tag: packageTag(ota) };
    const found = this.#newest;
    const changed = this.#changes.since(before, deviceId) || this.#changes.since(before, profileId);
    if (!changed) this.#keep(deviceId, profileId, type, found);
    return found;
  }

  #keep(deviceId: Uuid, profileId: Uuid, type: PackageType, found: KnownPackage): void {
    const packages = { ...this.#known.get(deviceId)?.packages, [type]: found };
    const [oldest] = this.#known.size >= this.max && !this.#known.has(deviceId) ? this.#known.keys() : [];
    if (oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(deviceId, { profileId, packages });
  }

  #forget(change: SessionChange): void {
    switch (change.kind) {
      case 'missed':
        this.#changes.all();
        this.#known.clear();
        break;
      case 'profile':
        this.#changes.of(change.profileId);
        for (const [id, { profileId }] of this.#known) if (profileId === change.profileId) this.#known.delete(id);
        break;
      default:
        this.#changes.of(change.deviceId);
        this.#known.delete(change.deviceId);
    }
  }
}

const packageTag = ({ dataId }: PackageWithData): Buffer => createHash('sha256').update(dataId).digest().subarray(0, 8);

const isHere = (ota: OtaPackage): ota is PackageWithData => ota.dataId !== null && ota.dataSize !== null;
