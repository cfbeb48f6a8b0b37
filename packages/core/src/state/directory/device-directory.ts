import type { Device, Uuid } from '../../devices/model';
import type { Clock, Millis, Timer } from '../../platform/clock';
import type { MetricsRegistry } from '../../platform/metrics';
import type { DeviceQuery, Page } from '../device-store';
import { type DeviceChange, TenantDevices } from './tenant-devices';

/** The store, as far as the directory reads from it. */
export interface DirectorySource {
  /**
   * All devices of all tenants, in pieces. One that changes while it is read may be given as it was or as it is: the
   * directory is told of the change.
   */
  all(): AsyncIterable<readonly Device[]>;
  /** As they are now, in the order of the ids; undefined for one that is not there. */
  read(ids: readonly Uuid[]): Promise<readonly (Device | undefined)[]>;
  /** The name that the profile has now. */
  profileName(id: Uuid): Promise<string | undefined>;
  /** Resolves when the directory has been told of every change that was made before the call. */
  upToDate(): Promise<void>;
  /** Lets other work of the process go first. */
  giveWay(): Promise<void>;
}

export interface DirectoryOptions {
  /** Devices of all tenants at the most; of a store with more, every list is made anew. */
  readonly maxDevices: number;
  readonly clock: Clock;
  readonly metrics: MetricsRegistry;
}

/** Nobody listed devices for this long: the memory is worth more. */
const IDLE: Millis = 600_000;
/** Changed devices that are read at once. */
const PIECE = 500;
/** With more changes than these, reading all is as cheap. */
const CHANGES_MAX = 50_000;
/** A longer `additionalInfo` stays in the store, and is read when its device is listed. */
const INFO_MAX = 512;

/**
 * What lists of devices are made from, kept in the memory of the process: with 100,000 devices a page or a search would
 * otherwise cost reading all of them (ADR 34). It is read at the first list, told by the store which devices change, and
 * reads those again before the next list; so a list shows everything that was written before it was asked for.
 */
export class DeviceDirectory {
  #tenants = new Map<Uuid, TenantDevices>();
  #homes = new Map<Uuid, TenantDevices>();
  /** Devices whose `additionalInfo` is too long to be kept. */
  #abridged = new Set<Uuid>();
  /** The same text once: of every device the ids of its tenant, customer and profile, and its type. */
  #texts = new Map<string, string>();
  readonly #changed = new Set<Uuid>();
  readonly #changedProfiles = new Set<Uuid>();
  #state: 'none' | 'loading' | 'loaded' = 'none';
  /** Counts how often everything was forgotten: what was read before does not count any more. */
  #life = 0;
  /** What is done one after the other: loading, taking changes over, getting ready for a query. */
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  /** When it was last loaded there were more devices than may be kept. */
  #overflown = false;
  #used: Millis = 0;
  #idle: Timer | undefined;
  #closed = false;
  readonly #loads: { add(): void };

  constructor(
    private readonly source: DirectorySource,
    private readonly options: DirectoryOptions,
  ) {
    const { metrics } = options;
    metrics.gauge('tandem_device_directory_devices', () => this.#homes.size);
    this.#loads = metrics.counter('tandem_device_directory_loads_total');
  }

  /** @throws TandemError STORE_UNAVAILABLE */
  async list(tenantId: Uuid, query: DeviceQuery): Promise<Page<Device>> {
    await this.source.upToDate();
    this.#used = this.options.clock.monotonic();
    return this.#complete(this.#now(tenantId, query) ?? (await this.#inTurn(() => this.#make(tenantId, query))));
  }

  /** The device was made, changed or deleted; to be called when that can be read. */
  deviceChanged(id: Uuid): void {
    if (this.#state === 'none') return;
    this.#changed.add(id);
    if (this.#changed.size > CHANGES_MAX) this.forget();
  }

  profileChanged(id: Uuid): void {
    if (this.#state !== 'none') this.#changedProfiles.add(id);
  }

  /** Changes may have gone by unheard. */
  forget(): void {
    this.#life++;
    this.#state = 'none';
    this.#tenants = new Map();
    this.#homes = new Map();
    this.#abridged = new Set();
    this.#texts = new Map();
    this.#changed.clear();
    this.#changedProfiles.clear();
    this.#idle?.cancel();
    this.#idle = undefined;
  }

  close(): void {
    this.#closed = true;
    this.forget();
  }

  /** The page, where nothing has to be read or prepared for it. */
  #now(tenantId: Uuid, query: DeviceQuery): Page<Device> | undefined {
    if (this.#waiting > 0 || !this.#isCurrent()) return undefined;
    const tenant = this.#tenants.get(tenantId);
    if (!tenant) return { data: [], totalElements: 0 };
    return tenant.isReadyFor(query) ? tenant.page(query) : undefined;
  }

  #isCurrent(): boolean {
    return this.#state === 'loaded' && this.#changed.size === 0 && this.#changedProfiles.size === 0;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting++;
    const mine = this.#turn.then(work).finally(() => {
      this.#waiting--;
    });
    this.#turn = mine.catch(() => {});
    return mine;
  }

  async #make(tenantId: Uuid, query: DeviceQuery): Promise<Page<Device>> {
    for (;;) {
      if (this.#state !== 'loaded' && !(await this.#load())) return this.#makeOnce(tenantId, query);
      const life = this.#life;
      await this.#takeChanges();
      const tenant = this.#tenants.get(tenantId);
      await tenant?.prepare(query, () => this.source.giveWay());
      // What was prepared is forgotten by now, and with it perhaps a change that came before the call.
      if (life !== this.#life) continue;
      return tenant?.page(query) ?? { data: [], totalElements: 0 };
    }
  }

  /** @returns false when there are too many devices to be kept */
  async #load(): Promise<boolean> {
    while (!this.#overflown) {
      this.forget();
      this.#state = 'loading';
      this.#loads.add();
      const life = this.#life;
      for await (const devices of this.source.all()) {
        if (life !== this.#life) break;
        this.#apply(devices.map((device) => [device.id, device]));
        if (this.#isOverflown(this.#homes.size)) break;
      }
      if (life !== this.#life) continue;
      this.#state = 'loaded';
      this.#watchIdleness();
      return true;
    }
    return false;
  }

  #isOverflown(devices: number): boolean {
    this.#overflown = devices > this.options.maxDevices;
    if (this.#overflown) this.forget();
    return this.#overflown;
  }

  /** Of more devices than may be kept: the same list, from those of the tenant alone, and not for long. */
  async #makeOnce(tenantId: Uuid, query: DeviceQuery): Promise<Page<Device>> {
    this.#loads.add();
    const tenant = new TenantDevices();
    let all = 0;
    for await (const devices of this.source.all()) {
      all += devices.length;
      const own = new Map(
        devices.filter((device) => device.tenantId === tenantId).map((device) => [device.id, device]),
      );
      tenant.apply([...own]);
    }
    this.#isOverflown(all);
    await tenant.prepare(query, () => this.source.giveWay());
    return tenant.page(query);
  }

  async #takeChanges(): Promise<void> {
    for (const profileId of [...this.#changedProfiles]) {
      const name = await this.#took(this.#changedProfiles, [profileId], () => this.source.profileName(profileId));
      if (name !== undefined) this.#retype(profileId, name);
    }
    while (this.#changed.size > 0) {
      const life = this.#life;
      const ids = [...this.#changed].slice(0, PIECE);
      const devices = await this.#took(this.#changed, ids, () => this.source.read(ids));
      if (life !== this.#life) return;
      this.#apply(ids.map((id, n) => [id, devices[n]]));
      this.#isOverflown(this.#homes.size);
    }
  }

  /** Takes ids out of what has changed before they are read: one that changes once more meanwhile is there again. */
  async #took<T>(changed: Set<Uuid>, ids: readonly Uuid[], read: () => Promise<T>): Promise<T> {
    const life = this.#life;
    for (const id of ids) changed.delete(id);
    try {
      return await read();
    } catch (error) {
      if (life === this.#life) for (const id of ids) changed.add(id);
      throw error;
    }
  }

  /** The new name of a profile is the new type of its devices. */
  #retype(profileId: Uuid, name: string): void {
    for (const tenant of this.#tenants.values()) {
      for (const { id, deviceProfileId, type } of tenant.devices()) {
        if (deviceProfileId === profileId && type !== name) this.#changed.add(id);
      }
    }
  }

  #apply(changes: readonly DeviceChange[]): void {
    const byTenant = new Map<TenantDevices, Map<Uuid, Device | undefined>>();
    const note = (tenant: TenantDevices, id: Uuid, device: Device | undefined) => {
      const noted = byTenant.get(tenant);
      if (noted) noted.set(id, device);
      else byTenant.set(tenant, new Map([[id, device]]));
    };
    for (const [id, device] of changes) {
      const former = this.#homes.get(id);
      const home = device && this.#tenant(device.tenantId);
      if (former && former !== home) note(former, id, undefined);
      this.#abridged.delete(id);
      if (home) {
        note(home, id, this.#kept(device));
        this.#homes.set(id, home);
      } else {
        this.#homes.delete(id);
      }
    }
    for (const [tenant, noted] of byTenant) tenant.apply([...noted]);
  }

  #tenant(id: Uuid): TenantDevices {
    const known = this.#tenants.get(id);
    if (known) return known;
    const made = new TenantDevices();
    this.#tenants.set(id, made);
    return made;
  }

  #kept(device: Device): Device {
    const long = (device.additionalInfo?.length ?? 0) > INFO_MAX;
    if (long) this.#abridged.add(device.id);
    return {
      ...device,
      tenantId: this.#shared(device.tenantId),
      customerId: this.#shared(device.customerId),
      deviceProfileId: this.#shared(device.deviceProfileId),
      type: this.#shared(device.type),
      additionalInfo: long ? null : device.additionalInfo,
    };
  }

  #shared(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    this.#texts.set(text, text);
    return text;
  }

  /** With what was too long to be kept. A device that was deleted in this moment is not on the page any more. */
  async #complete(page: Page<Device>): Promise<Page<Device>> {
    if (this.#abridged.size === 0) return page;
    const ids = page.data.map(({ id }) => id).filter((id) => this.#abridged.has(id));
    if (ids.length === 0) return page;
    const read = await this.source.read(ids);
    const whole = new Map(ids.map((id, n) => [id, read[n]]));
    return {
      ...page,
      data: page.data.flatMap((device) => (whole.has(device.id) ? (whole.get(device.id) ?? []) : device)),
    };
  }

  #watchIdleness(): void {
    const { clock } = this.options;
    if (this.#closed) return;
    this.#idle = clock.setTimer(IDLE, () => {
      if (clock.monotonic() - this.#used >= IDLE) this.forget();
      else this.#watchIdleness();
    });
  }
}
