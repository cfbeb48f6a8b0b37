import type { Device, Uuid } from '../../devices/model';
import type { DeviceFilter, DeviceQuery, Page } from '../device-store';
import { deviceOrder } from './device-order';
import { NameGrams } from './name-grams';
import { SortedSlots } from './sorted-slots';

const DEFAULT_ORDER = 'createdTime';
/** Devices that are put into an order, or have their names indexed, before others get their turn. */
const PIECE = 1_000;
/** Lists that are remembered hold this many devices for each device of the tenant, and this many in all at the least. */
const REMEMBERED_SHARE = 4;
const REMEMBERED_MIN = 10_000;
const REMEMBERED_LISTS = 1_000;
/** Of what is found, less than this part is sorted; of more, going through all devices in order is cheaper. */
const FEW = 1 / 64;
/** With more candidates than this part, every name is looked at. */
const MANY = 1 / 4;
/** Names that are no more fill the index: then it is made anew. */
const STALE_NAMES_MIN = 1_000;

const isWanted = (device: Device, { type, deviceProfileId, customerId }: DeviceFilter): boolean =>
  (!type || device.type === type) &&
  (!deviceProfileId || device.deviceProfileId === deviceProfileId) &&
  (!customerId || device.customerId === customerId);

/** What is to become of one device: another one, or gone. */
export type DeviceChange = readonly [Uuid, Device | undefined];

/**
 * The devices of one tenant, ready to be listed: in every order that was asked for, with an index of names once somebody
 * searched, and the lists that were made of them since the last change.
 */
export class TenantDevices {
  readonly #devices: (Device | undefined)[] = [];
  readonly #slots = new Map<Uuid, number>();
  readonly #free: number[] = [];
  readonly #orders = new Map<string, SortedSlots>();
  /** Lower-case names by slot; from the first search on. */
  #names: string[] = [];
  #grams: NameGrams | undefined;
  #staleNames = 0;
  /** By what was asked for, least recently used first. */
  readonly #remembered = new Map<string, Uint32Array>();
  #rememberedSlots = 0;

  get size(): number {
    return this.#slots.size;
  }

  *devices(): Generator<Device> {
    for (const device of this.#devices) if (device) yield device;
  }

  /** @param changes at most one for each device */
  apply(changes: readonly DeviceChange[]): void {
    this.#forgetLists();
    const leaving = changes.flatMap(([id]) => this.#slots.get(id) ?? []);
    for (const order of this.#orders.values()) order.remove(leaving);
    const coming = changes.flatMap(([id, device]) => this.#put(id, device) ?? []);
    for (const order of this.#orders.values()) order.add(coming);
    if (this.#staleNames > Math.max(STALE_NAMES_MIN, this.size)) this.#dropNames();
  }

  /** Whether `page` can answer the query. */
  isReadyFor({ sortProperty = DEFAULT_ORDER, textSearch }: DeviceQuery): boolean {
    return this.#orders.has(sortProperty) && (this.#grams !== undefined || !textSearch);
  }

  /** Makes it ready for the query. Nothing may be changed meanwhile. @param giveWay lets other work of the process go first */
  async prepare(query: DeviceQuery, giveWay: () => Promise<void>): Promise<void> {
    const { sortProperty = DEFAULT_ORDER } = query;
    if (!this.#orders.has(sortProperty)) this.#orders.set(sortProperty, await this.#sorted(sortProperty, giveWay));
    if (!this.isReadyFor(query)) await this.#indexNames(giveWay);
  }

  page(query: DeviceQuery): Page<Device> {
    const slots = this.#list(query);
    const { pageSize, page, sortOrder = 'DESC' } = query;
    const data: Device[] = [];
    const end = Math.min(slots.length, (page + 1) * pageSize);
    for (let at = page * pageSize; at < end; at++) {
      const slot = slots[sortOrder === 'ASC' ? at : slots.length - 1 - at];
      const device = this.#devices[slot ?? -1];
      if (device) data.push(device);
    }
    return { data, totalElements: slots.length };
  }

  /** All that fits, ascending. */
  #list(query: DeviceQuery): Uint32Array {
    const { sortProperty = DEFAULT_ORDER, textSearch, type, deviceProfileId, customerId } = query;
    const order = this.#orders.get(sortProperty);
    if (!order) return new Uint32Array(0);
    const text = textSearch?.toLowerCase();
    if (!text && !type && !deviceProfileId && !customerId) return order.slots;
    const name = JSON.stringify([sortProperty, text, type, deviceProfileId, customerId]);
    const known = this.#remembered.get(name);
    if (known) {
      this.#remembered.delete(name);
      this.#remembered.set(name, known);
      return known;
    }
    const list = this.#select(order, query, text);
    this.#remember(name, list);
    return list;
  }

  #select(order: SortedSlots, filter: DeviceFilter, text = ''): Uint32Array {
    const fits = (slot: number): boolean => {
      const device = this.#devices[slot];
      return device !== undefined && this.#holds(slot, device, text) && isWanted(device, filter);
    };
    const candidates = text === '' ? undefined : this.#grams?.candidates(text, order.size * MANY);
    if (!candidates) return order.slots.filter(fits);
    const found: number[] = [];
    const marked = new Uint8Array(this.#devices.length);
    for (const slot of candidates) {
      if (marked[slot] === 1 || !fits(slot)) continue;
      marked[slot] = 1;
      found.push(slot);
    }
    if (found.length > order.size * FEW) return order.slots.filter((slot) => marked[slot] === 1);
    const few = new SortedSlots(order.compare);
    few.add(found);
    return few.slots;
  }

  #remember(name: string, list: Uint32Array): void {
    this.#remembered.set(name, list);
    this.#rememberedSlots += list.length;
    const max = Math.max(REMEMBERED_MIN, this.size * REMEMBERED_SHARE);
    for (const [oldest, { length }] of this.#remembered) {
      if (this.#rememberedSlots <= max && this.#remembered.size <= REMEMBERED_LISTS) return;
      this.#remembered.delete(oldest);
      this.#rememberedSlots -= length;
    }
  }

  #forgetLists(): void {
    this.#remembered.clear();
    this.#rememberedSlots = 0;
  }

  /** @returns the slot of a device that is there */
  #put(id: Uuid, device: Device | undefined): number | undefined {
    const former = this.#slots.get(id);
    if (!device) {
      if (former !== undefined) this.#leave(id, former);
      return undefined;
    }
    const slot = former ?? this.#free.pop() ?? this.#devices.length;
    const renamed = this.#devices[slot]?.name !== device.name;
    this.#devices[slot] = device;
    this.#slots.set(id, slot);
    if (renamed && this.#grams) this.#indexName(this.#grams, slot, device);
    return slot;
  }

  #leave(id: Uuid, slot: number): void {
    this.#slots.delete(id);
    this.#devices[slot] = undefined;
    this.#free.push(slot);
  }

  async #sorted(property: string, giveWay: () => Promise<void>): Promise<SortedSlots> {
    const compareDevices = deviceOrder(property);
    const compare = (a: number, b: number): number => {
      const [left, right] = [this.#devices[a], this.#devices[b]];
      // Two devices have one name for a moment, when the second got it before it was heard that the first lost it.
      return (left && right && compareDevices(left, right)) || a - b;
    };
    const order = new SortedSlots(compare);
    const all = [...this.#slots.values()];
    for (let from = 0; from < all.length; from += PIECE) {
      order.add(all.slice(from, from + PIECE));
      await giveWay();
    }
    return order;
  }

  async #indexNames(giveWay: () => Promise<void>): Promise<void> {
    const grams = new NameGrams();
    let indexed = 0;
    for (const slot of this.#slots.values()) {
      const device = this.#devices[slot];
      if (device) this.#indexName(grams, slot, device);
      if (++indexed % PIECE === 0) await giveWay();
    }
    this.#grams = grams;
    this.#staleNames = 0;
  }

  #indexName(grams: NameGrams, slot: number, { name }: Device): void {
    if (this.#names[slot] !== undefined) this.#staleNames++;
    const lower = name.toLowerCase();
    this.#names[slot] = lower;
    grams.add(slot, lower);
  }

  #holds(slot: number, { name }: Device, text: string): boolean {
    return text === '' || (this.#names[slot] ?? name.toLowerCase()).includes(text);
  }

  #dropNames(): void {
    this.#grams = undefined;
    this.#names = [];
    this.#staleNames = 0;
  }
}
