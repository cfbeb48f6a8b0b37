import { type Core, type ProfileInfo, type ProfileRequest, splitJsonObject, type Uuid } from '@tandem/core';
import { bodyWithTextReader } from '../http/body-reader';
import type { JsonBody } from '../http/json-body';
import { pageQuery } from '../http/paging';
import { uuidParameter } from '../http/path';
import {
  DEVICE_PROFILE_ANSWER,
  DEVICE_PROFILE_INFO_ANSWER,
  DEVICE_PROFILE_NAMES_ANSWER,
  deviceProfileInfoJson,
  deviceProfileJson,
  deviceProfileNameJson,
  TRANSPORT_TYPES,
} from '../json/device-profile-json';
import { pageJson, pagePieces } from '../json/page-json';
import { listOf, pageOf, TEXT } from '../json/schema';
import { EMPTY, jsonAnswer } from '../routing/answer';
import { choiceParameter, flagParameter, pagingParameters, textParameter } from '../routing/query-parameters';
import { empty, json, jsonText, type Reply } from '../routing/reply';
import { type ApiRequest, type Route, TENANT_AND_CUSTOMER, TENANT_ONLY } from '../routing/route';
import { DEVICE_PROFILE_SCHEMA, type DeviceProfileBody } from './device-profile-schemas';
import { uuidOf } from './device-schemas';

const readProfile = bodyWithTextReader<DeviceProfileBody>(DEVICE_PROFILE_SCHEMA);

const SORTABLE = ['createdTime', 'name', 'type', 'transportType', 'description', 'isDefault'];
/** Profiles that are held with their data at the same time. */
const WHOLE_PROFILES = 16;
const PROFILE = jsonAnswer(DEVICE_PROFILE_ANSWER);
const KEYS = jsonAnswer(listOf(TEXT));

/** Server contract 4.1. */
export function deviceProfileRoutes({ profiles, profileKeys }: Core): Route[] {
  const get = async ({ caller, params }: ApiRequest): Promise<Reply> => {
    const id = uuidParameter(params, 'deviceProfileId');
    return jsonText(deviceProfileJson(await profiles.get(caller.user.tenantId, id)));
  };

  const getInfo = async ({ caller, params }: ApiRequest): Promise<Reply> => {
    const id = uuidParameter(params, 'deviceProfileId');
    return json(deviceProfileInfoJson(await profiles.getInfo(caller.user.tenantId, id)));
  };

  const save = async ({ caller, body }: ApiRequest): Promise<Reply> =>
    jsonText(deviceProfileJson(await profiles.save(caller.user.tenantId, profileRequest(await body(readProfile)))));

  const remove = async ({ caller, params }: ApiRequest): Promise<Reply> => {
    await profiles.delete(caller.user.tenantId, uuidParameter(params, 'deviceProfileId'));
    return empty();
  };

  const makeDefault = async ({ caller, params }: ApiRequest): Promise<Reply> => {
    const id = uuidParameter(params, 'deviceProfileId');
    return jsonText(deviceProfileJson(await profiles.makeDefault(caller.user.tenantId, id)));
  };

  const list = async ({ caller, query }: ApiRequest): Promise<Reply> => {
    const paging = pageQuery(query, SORTABLE);
    const page = await profiles.list(caller.user.tenantId, paging);
    return jsonText(pagePieces(page, wholes(page.data), paging));
  };

  /** With their data, a few at a time. What is deleted meanwhile is left out. */
  async function* wholes(infos: readonly ProfileInfo[]): AsyncGenerator<string[]> {
    for (let at = 0; at < infos.length; at += WHOLE_PROFILES) {
      const found = await profiles.wholes(infos.slice(at, at + WHOLE_PROFILES));
      yield found.map(deviceProfileJson);
    }
  }

  const infos = async ({ caller, query }: ApiRequest): Promise<Reply> => {
    const paging = pageQuery(query, SORTABLE);
    const transportType = query.choice('transportType', TRANSPORT_TYPES);
    const page = await profiles.list(caller.user.tenantId, { ...paging, transportType });
    const items = page.data.map((profile) => JSON.stringify(deviceProfileInfoJson(profile)));
    return jsonText(pageJson(page, items, paging));
  };

  const names = async ({ caller, query }: ApiRequest): Promise<Reply> => {
    const all = await profiles.all(caller.user.tenantId, query.flag('activeOnly'));
    return json(all.map(deviceProfileNameJson));
  };

  /** Of a profile, or of all of the tenant where none is named. */
  const keys =
    (gather: (tenantId: Uuid, profile: ProfileInfo | undefined) => Promise<string[]>) =>
    async ({ caller, query }: ApiRequest): Promise<Reply> => {
      const { tenantId } = caller.user;
      const text = query.text('deviceProfileId');
      if (text === undefined) return json(await gather(tenantId, undefined));
      const id = uuidParameter({ deviceProfileId: text }, 'deviceProfileId');
      return json(await gather(tenantId, await profiles.getInfo(tenantId, id)));
    };

  const both = { authorities: TENANT_AND_CUSTOMER, refusal: 'json' } as const;
  const tenant = { authorities: TENANT_ONLY, refusal: 'json' } as const;
  const ofProfile = { ...tenant, query: [textParameter('deviceProfileId')], answer: KEYS };
  return [
    {
      method: 'POST',
      path: '/api/deviceProfile',
      summary: 'Create or update a device profile',
      ...tenant,
      body: readProfile,
      answer: PROFILE,
      handle: save,
    },
    {
      method: 'GET',
      path: '/api/deviceProfile/names',
      summary: 'Names of all device profiles',
      ...both,
      query: [flagParameter('activeOnly', 'Those alone that a device refers to')],
      answer: jsonAnswer(DEVICE_PROFILE_NAMES_ANSWER),
      handle: names,
    },
    {
      method: 'GET',
      path: '/api/deviceProfile/devices/keys/timeseries',
      summary: 'Time series keys of the newest hundred devices of a profile',
      ...ofProfile,
      handle: keys((tenantId, profile) => profileKeys.timeSeries(tenantId, profile)),
    },
    {
      method: 'GET',
      path: '/api/deviceProfile/devices/keys/attributes',
      summary: 'Attribute keys of the newest hundred devices of a profile',
      ...ofProfile,
      handle: keys((tenantId, profile) => profileKeys.attributes(tenantId, profile)),
    },
    {
      method: 'GET',
      path: '/api/deviceProfile/{deviceProfileId}',
      summary: 'A device profile',
      answer: PROFILE,
      ...tenant,
      handle: get,
    },
    {
      method: 'DELETE',
      path: '/api/deviceProfile/{deviceProfileId}',
      summary: 'Delete a device profile that no device refers to',
      ...tenant,
      answer: EMPTY,
      handle: remove,
    },
    {
      method: 'POST',
      path: '/api/deviceProfile/{deviceProfileId}/default',
      summary: 'Make a device profile the default of the tenant',
      ...tenant,
      answer: PROFILE,
      handle: makeDefault,
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
    {
      method: 'GET',
      path: '/api/deviceProfileInfo/default',
      summary: 'The default profile in short',
      answer: jsonAnswer(DEVICE_PROFILE_INFO_ANSWER),
      ...both,
      publicToo: true,
      handle: async ({ caller }: ApiRequest) =>
        json(deviceProfileInfoJson(await profiles.default(caller.user.tenantId))),
    },
    {
      method: 'GET',
      path: '/api/deviceProfileInfo/{deviceProfileId}',
      summary: 'A device profile in short',
      answer: jsonAnswer(DEVICE_PROFILE_INFO_ANSWER),
      ...both,
      publicToo: true,
      handle: getInfo,
    },
    {
      method: 'GET',
      path: '/api/deviceProfileInfos',
      summary: 'Device profiles in short, by page',
      ...both,
      publicToo: true,
      query: [...pagingParameters(SORTABLE), choiceParameter('transportType', TRANSPORT_TYPES)],
      answer: jsonAnswer(pageOf('DeviceProfileInfoPage', DEVICE_PROFILE_INFO_ANSWER)),
      handle: infos,
    },
  ];
}

function profileRequest({ value: body, text }: JsonBody<DeviceProfileBody>): ProfileRequest {
  return {
    id: uuidOf(body.id),
    name: body.name,
    description: body.description,
    isDefault: body.default,
    type: body.type,
    transportType: body.transportType,
    provisionType: body.provisionType,
    provisionDeviceKey: body.provisionDeviceKey,
    profileData: body.profileData ? splitJsonObject(text).get('profileData') : undefined,
    firmwareId: uuidOf(body.firmwareId),
    softwareId: uuidOf(body.softwareId),
    version: body.version ?? undefined,
  };
}
