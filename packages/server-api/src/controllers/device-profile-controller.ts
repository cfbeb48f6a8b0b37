import type { Core } from '@tandem/core';
import { pageQuery } from '../http/paging';
import { uuidParameter } from '../http/path';
import {
  DEVICE_PROFILE_ANSWER,
  DEVICE_PROFILE_INFO_ANSWER,
  deviceProfileInfoJson,
  deviceProfileJson,
} from '../json/device-profile-json';
import { pageJson } from '../json/page-json';
import { pageOf } from '../json/schema';
import { jsonAnswer } from '../routing/answer';
import { pagingParameters } from '../routing/query-parameters';
import { json, jsonText, type Reply } from '../routing/reply';
import { type ApiRequest, type Route, TENANT_AND_CUSTOMER, TENANT_ONLY } from '../routing/route';

const SORTABLE = ['createdTime', 'name', 'type', 'transportType', 'description', 'isDefault'];

/** Server contract 4.1, the rows that read. */
export function deviceProfileRoutes({ profiles }: Core): Route[] {
  const profileOf = ({ caller, params }: ApiRequest) =>
    profiles.get(caller.user.tenantId, uuidParameter(params, 'deviceProfileId'));

  const list = async ({ caller, query }: ApiRequest): Promise<Reply> => {
    const paging = pageQuery(query, SORTABLE);
    const page = await profiles.list(caller.user.tenantId, paging);
    const items = page.data.map((profile) => deviceProfileJson(profile));
    return jsonText(pageJson(page, items, paging));
  };

  const both = { authorities: TENANT_AND_CUSTOMER, refusal: 'json' } as const;
  const tenant = { authorities: TENANT_ONLY, refusal: 'json' } as const;
  return [
    {
      method: 'GET',
      path: '/api/deviceProfileInfo/default',
      summary: 'The default profile in short',
      answer: jsonAnswer(DEVICE_PROFILE_INFO_ANSWER),
      ...both,
      handle: async ({ caller }: ApiRequest) =>
        json(deviceProfileInfoJson(await profiles.default(caller.user.tenantId))),
    },
    {
      method: 'GET',
      path: '/api/deviceProfileInfo/{deviceProfileId}',
      summary: 'A device profile in short',
      answer: jsonAnswer(DEVICE_PROFILE_INFO_ANSWER),
      ...both,
      handle: async (request: ApiRequest) => json(deviceProfileInfoJson(await profileOf(request))),
    },
    {
      method: 'GET',
      path: '/api/deviceProfile/{deviceProfileId}',
      summary: 'A device profile',
      answer: jsonAnswer(DEVICE_PROFILE_ANSWER),
      ...tenant,
      handle: async (request: ApiRequest) => jsonText(deviceProfileJson(await profileOf(request))),
    },
    {
      method: 'GET',
      path: '/api/deviceProfiles',
      summary: 'Device profiles by page',
      ...tenant,
      query: pagingParameters(SORTABLE),
      answer: jsonAnswer(pageOf('DeviceProfilePage', DEVICE_PROFILE_ANSWER)),
      handle: list,
    },
  ];
}
