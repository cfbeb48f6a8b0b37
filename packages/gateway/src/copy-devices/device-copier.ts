import { splitJsonArray, splitJsonObject } from '@tandem/core';
import type { ServerApiClient } from '../server-api-client/server-api-client';

/** Server contract 3.2 and its infos, of which only this much is read. */
export interface DeviceInfo {
  readonly id: { readonly id: string };
  readonly name: string;
  readonly type?: string | null;
  readonly label?: string | null;
  readonly additionalInfo?: object | null;
  readonly deviceData?: object | null;
  readonly customerTitle?: string | null;
  readonly customerIsPublic?: boolean;
}

/** What the server finds out about a device by itself. */
const OF_THE_SERVER = new Set([
  'active',
  'lastConnectTime',
  'lastDisconnectTime',
  'lastActivityTime',
  'inactivityAlarmTime',
]);

const ENTITY = '/api/plugins/telemetry/DEVICE';

/** Takes a device with all that belongs to it from one server to another. */
export class DeviceCopier {
  constructor(
    private readonly from: ServerApiClient,
    private readonly to: ServerApiClient,
    private readonly update: boolean,
  ) {}

  /** @returns whether it was made; else there is one of its name. @throws Error with what one of the servers says */
  async copy(device: DeviceInfo): Promise<boolean> {
    const there = await this.to.find(`/api/tenant/devices?deviceName=${encodeURIComponent(device.name)}`);
    if (there !== undefined && !this.update) return false;
    const id = idIn(there ?? (await this.#make(device)));
    await this.#assign(device, id);
    for (const scope of ['SERVER_SCOPE', 'SHARED_SCOPE'] as const) await this.#copyAttributes(device.id.id, id, scope);
    await this.#copyLatestValues(device.id.id, id);
    return there === undefined;
  }

  async #make({ id, name, type, label, additionalInfo, deviceData }: DeviceInfo): Promise<string> {
    const { credentialsType, credentialsId, credentialsValue } = JSON.parse(
      await this.from.get(`/api/device/${id.id}/credentials`),
    ) as Record<string, unknown>;
    return this.to.post(
      '/api/device-with-credentials',
      JSON.stringify({
        device: { name, type, label, additionalInfo, deviceData },
        credentials: { credentialsType, credentialsId, credentialsValue },
      }),
    );
  }

  async #assign({ customerTitle, customerIsPublic }: DeviceInfo, id: string): Promise<void> {
    if (customerIsPublic) {
      await this.to.post(`/api/customer/public/device/${id}`, '');
    } else if (customerTitle) {
      const customer = await this.to.get(`/api/tenant/customers?customerTitle=${encodeURIComponent(customerTitle)}`);
      await this.to.post(`/api/customer/${idIn(customer)}/device/${id}`, '');
    }
  }

  async #copyAttributes(from: string, to: string, scope: 'SERVER_SCOPE' | 'SHARED_SCOPE'): Promise<void> {
    const rows = splitJsonArray(await this.from.get(`${ENTITY}/${from}/values/attributes/${scope}`)).map(
      splitJsonObject,
    );
    const members = rows
      .filter((row) => !OF_THE_SERVER.has(JSON.parse(row.get('key') ?? '""')))
      .map((row) => `${row.get('key')}:${row.get('value')}`);
    if (members.length > 0) await this.to.post(`${ENTITY}/${to}/${scope}`, `{${members}}`);
  }

  /** With their own times. */
  async #copyLatestValues(from: string, to: string): Promise<void> {
    const latest = splitJsonObject(await this.from.get(`${ENTITY}/${from}/values/timeseries?useStrictDataTypes=true`));
    const points = [...latest].flatMap(([key, list]) =>
      splitJsonArray(list).map((point) => pointOf(key, splitJsonObject(point))),
    );
    const known = points.filter((point) => point !== undefined);
    if (known.length > 0) await this.to.post(`${ENTITY}/${to}/timeseries/ANY`, `[${known}]`);
  }
}

/** Of a key that has no value the server says null. */
function pointOf(key: string, point: ReadonlyMap<string, string>): string | undefined {
  const value = point.get('value');
  if (value === undefined || value === 'null') return undefined;
  return `{"ts":${point.get('ts')},"values":{${JSON.stringify(key)}:${value}}}`;
}

export const idIn = (entity: string): string => (JSON.parse(entity) as { id: { id: string } }).id.id;
