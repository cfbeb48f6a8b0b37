import { isPublicCustomer } from '../accounts/customers';
import { booleanValue } from '../payload/value';
import type { AccountStore } from '../state/account-store';
import type { AttributeStore } from '../state/attribute-store';
import type { DeviceQuery, DeviceStore, Page } from '../state/device-store';
import { type Customer, type Device, NULL_UUID, type Uuid } from './model';

/** Whom a device is assigned to. */
export interface DeviceHolder {
  readonly title: string;
  readonly isPublic: boolean;
}

/** A device with what a list of devices shows beside it (server contract 3.1). */
export interface DeviceInfo {
  readonly device: Device;
  /** Undefined where it is assigned to nobody. */
  readonly customer: DeviceHolder | undefined;
  readonly active: boolean;
}

export type DeviceInfoQuery = DeviceQuery & { readonly active?: boolean };

/** Of all devices that fit, where the page is not known before each has been looked at. */
const ALL = { page: 0, pageSize: Number.MAX_SAFE_INTEGER };

export class DeviceInfos {
  constructor(
    private readonly devices: DeviceStore,
    private readonly accounts: AccountStore,
    private readonly attributes: AttributeStore,
  ) {}

  /** In the order of the devices. @throws TandemError STORE_UNAVAILABLE */
  async of(devices: readonly Device[]): Promise<DeviceInfo[]> {
    const [active, customers] = await Promise.all([this.#active(devices), this.#customers(devices)]);
    return devices.map((device) => ({
      device,
      customer: customers.get(device.customerId),
      active: active.has(device.id),
    }));
  }

  /** With `active` given, the attribute of every device that fits the rest is read. @throws TandemError STORE_UNAVAILABLE */
  async list(tenantId: Uuid, { active, ...query }: DeviceInfoQuery): Promise<Page<DeviceInfo>> {
    if (active === undefined) {
      const { data, totalElements } = await this.devices.listDevices(tenantId, query);
      return { data: await this.of(data), totalElements };
    }
    const { data } = await this.devices.listDevices(tenantId, { ...query, ...ALL });
    const ids = await this.#active(data);
    const fitting = data.filter(({ id }) => ids.has(id) === active);
    const from = query.page * query.pageSize;
    return { data: await this.of(fitting.slice(from, from + query.pageSize)), totalElements: fitting.length };
  }

  /** Server contract 9: a SERVER attribute. */
  async #active(devices: readonly Device[]): Promise<ReadonlySet<Uuid>> {
    const ids = devices.map(({ id }) => id);
    const values = await this.attributes.readEach(ids, 'SERVER', 'active');
    return new Set(ids.filter((id) => values.get(id) === booleanValue(true)));
  }

  async #customers(devices: readonly Device[]): Promise<ReadonlyMap<Uuid, DeviceHolder>> {
    const ids = new Set(devices.map(({ customerId }) => customerId));
    ids.delete(NULL_UUID);
    const found = await Promise.all([...ids].map((id) => this.accounts.getCustomer(id)));
    return new Map(found.flatMap((customer) => (customer ? [[customer.id, holderOf(customer)] as const] : [])));
  }
}

const holderOf = (customer: Customer): DeviceHolder => ({
  title: customer.title,
  isPublic: isPublicCustomer(customer),
});
