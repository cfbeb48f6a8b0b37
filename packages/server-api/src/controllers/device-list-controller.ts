import {
  type Core,
  DEVICE_SORT_PROPERTIES,
  type Device,
  type DeviceInfo,
  type DeviceInfoQuery,
  type DeviceQuery,
  type Page,
  type PageQuery,
  type Uuid,
} from '@tandem/core';
import { accessCustomer } from '../access/customer-access';
import { mayAccessDevice } from '../access/device-access';
import { pageQuery } from '../http/paging';
import { requireUuid, uuidParameter } from '../http/path';
import type { Query } from '../http/query';
import { DEVICE_ANSWER, DEVICE_INFO_ANSWER } from '../json/device-json';
import { entityId } from '../json/entity-id';
import { pageJson } from '../json/page-json';
import { exactly, idSchema, listOf, oneOf, pageOf, TEXT } from '../json/schema';
import { jsonAnswer } from '../routing/answer';
import { listParameters, pagingParameters, type QueryParameter, textParameter } from '../routing/query-parameters';
import { json, jsonText, type Reply } from '../routing/reply';
import { type ApiRequest, type Route, TENANT_AND_CUSTOMER, TENANT_ONLY } from '../routing/route';
import { deviceRenderer } from './device-renderer';

/** Device profiles whose names one answer holds. */
const TYPES_MAX = 10_000;

/** Server contract 3.1, what gives several devices; the lists of a customer are in its section 2. */
export function deviceListRoutes(core: Core): Route[] {
  const { devices, deviceInfos, profiles, customers } = core;
  const { texts, infoTexts, one } = deviceRenderer(core);

  const deviceList = async (tenantId: Uuid, query: DeviceQuery): Promise<Reply> => {
    const page = await devices.list(tenantId, query);
    return pageReply(page, await texts(page.data), query);
  };

  const infoList = async (tenantId: Uuid, query: DeviceInfoQuery): Promise<Reply> => {
    const page = await deviceInfos.list(tenantId, query);
    return pageReply(page, await infoTexts(page.data), query);
  };

  /** One path, two calls: the query tells which. */
  const ofTenant = async ({ query, caller: { user } }: ApiRequest): Promise<Reply> =>
    query.has('deviceName')
      ? one(await devices.findByName(user.tenantId, query.requiredText('deviceName')))
      : deviceList(user.tenantId, listQuery(query));

  const infosOfTenant = async ({ query, caller: { user } }: ApiRequest): Promise<Reply> =>
    infoList(user.tenantId, infoQuery(query));

  const ofCustomer = async ({ caller, params, query }: ApiRequest): Promise<Reply> => {
    const { id, tenantId } = await accessCustomer(customers, caller, uuidParameter(params, 'customerId'));
    return deviceList(tenantId, { ...listQuery(query), customerId: id });
  };

  const infosOfCustomer = async ({ caller, params, query }: ApiRequest): Promise<Reply> => {
    const { id, tenantId } = await accessCustomer(customers, caller, uuidParameter(params, 'customerId'));
    return infoList(tenantId, { ...infoQuery(query), customerId: id });
  };

  /** Those that the caller may see; of the others it is not told whether they are there. */
  const byIds = async ({ caller: { user }, query }: ApiRequest): Promise<Reply> => {
    const ids = query.list('deviceIds', 'deviceId').map(requireUuid);
    if (ids.length === 0) query.requiredText('deviceIds');
    const found = await devices.findAll(user.tenantId, ids);
    return jsonText(`[${(await texts(found.filter((device) => mayAccessDevice(user, device)))).join(',')}]`);
  };

  const types = async ({ caller: { user } }: ApiRequest): Promise<Reply> => {
    const inOrder = { page: 0, pageSize: TYPES_MAX, sortProperty: 'name', sortOrder: 'ASC' } as const;
    const { data } = await profiles.list(user.tenantId, { ...inOrder, inUse: true });
    return json(data.map(({ tenantId, name }) => typeJson(tenantId, name)));
  };

  const both = { method: 'GET', authorities: TENANT_AND_CUSTOMER, refusal: 'json' } as const;
  const tenant = { method: 'GET', authorities: TENANT_ONLY, refusal: 'json' } as const;
  return [
    {
      ...tenant,
      path: '/api/tenant/devices',
      summary: 'Devices by page, or one by its name',
      query: [
        textParameter('deviceName', 'With it the answer is one device, and paging is not asked for'),
        ...LIST_PARAMETERS.map((parameter) => ({ ...parameter, required: false })),
      ],
      answer: jsonAnswer({ anyOf: [DEVICE_PAGE, DEVICE_ANSWER] }),
      handle: ofTenant,
    },
    {
      ...tenant,
      path: '/api/tenant/deviceInfos',
      summary: 'Devices by page, with what belongs to them',
      query: INFO_PARAMETERS,
      answer: jsonAnswer(DEVICE_INFO_PAGE),
      handle: infosOfTenant,
    },
    {
      ...both,
      publicToo: true,
      path: '/api/customer/{customerId}/devices',
      summary: 'Devices of a customer by page',
      query: LIST_PARAMETERS,
      answer: jsonAnswer(DEVICE_PAGE),
      handle: ofCustomer,
    },
    {
      ...both,
      publicToo: true,
      path: '/api/customer/{customerId}/deviceInfos',
      summary: 'Devices of a customer by page, with what belongs to them',
      query: INFO_PARAMETERS,
      answer: jsonAnswer(DEVICE_INFO_PAGE),
      handle: infosOfCustomer,
    },
    {
      ...both,
      publicToo: true,
      path: '/api/devices',
      summary: 'Devices by their ids',
      query: listParameters('deviceIds', 'deviceId'),
      answer: jsonAnswer(listOf(DEVICE_ANSWER)),
      handle: byIds,
    },
    {
      ...both,
      path: '/api/device/types',
      summary: 'Types of the devices there are',
      answer: jsonAnswer(listOf(TYPE_ANSWER)),
      handle: types,
    },
  ];
}

const LIST_PARAMETERS: readonly QueryParameter[] = [...pagingParameters(DEVICE_SORT_PROPERTIES), textParameter('type')];
const INFO_PARAMETERS: readonly QueryParameter[] = [
  ...LIST_PARAMETERS,
  textParameter('deviceProfileId'),
  { name: 'active', schema: { type: 'boolean' } },
];
const DEVICE_PAGE = pageOf('DevicePage', DEVICE_ANSWER);
const DEVICE_INFO_PAGE = pageOf('DeviceInfoPage', DEVICE_INFO_ANSWER);
const TYPE_ANSWER = exactly('DeviceType', { tenantId: idSchema('TENANT'), entityType: oneOf('DEVICE'), type: TEXT });

const typeJson = (tenantId: Uuid, type: string) => ({
  tenantId: entityId('TENANT', tenantId),
  entityType: 'DEVICE',
  type,
});

const pageReply = (page: Page<Device | DeviceInfo>, items: readonly string[], query: PageQuery): Reply =>
  jsonText(pageJson(page, items, query));

const listQuery = (query: Query): DeviceQuery => ({
  ...pageQuery(query, DEVICE_SORT_PROPERTIES),
  type: query.text('type'),
});

function infoQuery(query: Query): DeviceInfoQuery {
  const profile = query.text('deviceProfileId');
  return {
    ...listQuery(query),
    deviceProfileId: profile === undefined ? undefined : requireUuid(profile),
    active: query.text('active') === undefined ? undefined : query.flag('active'),
  };
}
