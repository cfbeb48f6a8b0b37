import {
  booleanValue,
  type Core,
  type CredentialsRequest,
  DEVICE_SORT_PROPERTIES,
  type Device,
  type DeviceRequest,
  NULL_UUID,
  splitJsonObject,
  TandemError,
  type Uuid,
} from '@tandem/core';
import { accessDevice } from '../access/device-access';
import type { Principal } from '../auth/principal';
import { bodyWithTextReader } from '../http/body-reader';
import type { JsonBody } from '../http/json-body';
import { pageQuery } from '../http/paging';
import { uuidParameter } from '../http/path';
import { DEVICE_ANSWER, DEVICE_INFO_ANSWER, deviceInfoJson, deviceJson } from '../json/device-json';
import { pageJson } from '../json/page-json';
import { pageOf } from '../json/schema';
import { EMPTY, jsonAnswer } from '../routing/answer';
import { pagingParameters, textParameter } from '../routing/query-parameters';
import { empty, jsonText, type Reply } from '../routing/reply';
import { type ApiRequest, type Route, TENANT_AND_CUSTOMER, TENANT_ONLY } from '../routing/route';
import { credentialsRequest } from './device-credentials-controller';
import {
  DEVICE_SCHEMA,
  DEVICE_WITH_CREDENTIALS_SCHEMA,
  type DeviceBody,
  type DeviceWithCredentialsBody,
  uuidOf,
} from './device-schemas';

const readDevice = bodyWithTextReader<DeviceBody>(DEVICE_SCHEMA);
const readDeviceWithCredentials = bodyWithTextReader<DeviceWithCredentialsBody>(DEVICE_WITH_CREDENTIALS_SCHEMA);

/** Server contract 3.1. */
export function deviceRoutes(core: Core): Route[] {
  const { devices, profileTransports } = core;

  const reply = async (device: Device) =>
    jsonText(deviceJson(device, await profileTransports.of(device.deviceProfileId)));

  const create = async (
    { user }: Principal,
    request: DeviceRequest,
    credentials: CredentialsRequest,
  ): Promise<Device> => {
    if (user.authority !== 'TENANT_ADMIN') throw new TandemError('PERMISSION_DENIED');
    const device = await devices.create(user.tenantId, request, credentials);
    // The device is there whatever becomes of this: a failure here must not say that it is not.
    await core.connectivity
      .created(device.id)
      .catch((error) =>
        core.logger.warn('state of a new device not written', { deviceId: device.id, error: String(error) }),
      );
    return device;
  };

  const update = async (caller: Principal, request: DeviceRequest & { readonly id: Uuid }): Promise<Device> => {
    await accessDevice(devices, caller, request.id);
    return devices.update(caller.user.tenantId, request);
  };

  const save = async ({ caller, query, body }: ApiRequest): Promise<Reply> => {
    const request = deviceRequest(await body(readDevice));
    const { id } = request;
    if (id !== undefined) return reply(await update(caller, { ...request, id }));
    return reply(await create(caller, request, { credentialsId: query.text('accessToken') }));
  };

  const saveWithCredentials = async ({ caller, body }: ApiRequest): Promise<Reply> => {
    const { value, text } = await body(readDeviceWithCredentials);
    const { device, credentials } = value;
    const deviceText = splitJsonObject(text).get('device') ?? '{}';
    const { id, ...request } = deviceRequest({ value: device, text: deviceText });
    const given = credentialsRequest(credentials);
    if (!given.credentialsType) {
      throw new TandemError('BAD_REQUEST', { message: 'Device credentials type should be specified' });
    }
    if (id === undefined) return reply(await create(caller, request, given));
    const { tenantId } = await accessDevice(devices, caller, id);
    return reply(await devices.updateWithCredentials(tenantId, { ...request, id }, given));
  };

  const get = async ({ caller, params }: ApiRequest): Promise<Reply> =>
    reply(await accessDevice(devices, caller, uuidParameter(params, 'deviceId')));

  const getInfo = async ({ caller, params }: ApiRequest): Promise<Reply> => {
    const device = await accessDevice(devices, caller, uuidParameter(params, 'deviceId'));
    const [transport, [active]] = await Promise.all([
      profileTransports.of(device.deviceProfileId),
      core.attributes.read(device.id, 'SERVER', ['active']),
    ]);
    const isActive = active?.value === booleanValue(true);
    return jsonText(deviceInfoJson(device, { transport, customer: undefined, active: isActive }));
  };

  const remove = async ({ caller, params }: ApiRequest): Promise<Reply> => {
    await devices.delete(caller.user.tenantId, uuidParameter(params, 'deviceId'));
    return empty();
  };

  /** One path, two calls: the query tells which. */
  const ofTenant = async (request: ApiRequest): Promise<Reply> => {
    const { query, caller } = request;
    if (!query.has('deviceName')) return list(request);
    return reply(await devices.findByName(caller.user.tenantId, query.requiredText('deviceName')));
  };

  const list = async ({ caller, query }: ApiRequest): Promise<Reply> => {
    const paging = pageQuery(query, DEVICE_SORT_PROPERTIES);
    const page = await devices.list(caller.user.tenantId, { ...paging, type: query.text('type') });
    const items: string[] = [];
    for (const device of page.data) {
      const { deviceProfileId } = device;
      const transport = profileTransports.cached(deviceProfileId) ?? (await profileTransports.of(deviceProfileId));
      items.push(deviceJson(device, transport));
    }
    return jsonText(pageJson(page, items, paging));
  };

  const both = { authorities: TENANT_AND_CUSTOMER, refusal: 'json' } as const;
  const tenant = { authorities: TENANT_ONLY, refusal: 'json' } as const;
  return [
    {
      method: 'POST',
      path: '/api/device',
      summary: 'Create or update a device',
      ...both,
      query: [textParameter('accessToken', 'Wanted token of a new device')],
      body: readDevice,
      answer: DEVICE,
      handle: save,
    },
    {
      method: 'POST',
      path: '/api/device-with-credentials',
      summary: 'Create or update a device with its credentials',
      ...tenant,
      body: readDeviceWithCredentials,
      answer: DEVICE,
      handle: saveWithCredentials,
    },
    { method: 'GET', path: '/api/device/{deviceId}', summary: 'A device', ...both, answer: DEVICE, handle: get },
    {
      method: 'GET',
      path: '/api/device/info/{deviceId}',
      summary: 'A device with what belongs to it',
      ...both,
      answer: jsonAnswer(DEVICE_INFO_ANSWER),
      handle: getInfo,
    },
    {
      method: 'DELETE',
      path: '/api/device/{deviceId}',
      summary: 'Delete a device',
      ...tenant,
      answer: EMPTY,
      handle: remove,
    },
    {
      method: 'GET',
      path: '/api/tenant/devices',
      summary: 'Devices by page, or one by its name',
      ...tenant,
      query: [
        textParameter('deviceName', 'With it the answer is one device, and paging is not asked for'),
        ...pagingParameters(DEVICE_SORT_PROPERTIES).map((parameter) => ({ ...parameter, required: false })),
        textParameter('type'),
      ],
      answer: jsonAnswer({ anyOf: [pageOf('DevicePage', DEVICE_ANSWER), DEVICE_ANSWER] }),
      handle: ofTenant,
    },
  ];
}

const DEVICE = jsonAnswer(DEVICE_ANSWER);

/** @throws TandemError BAD_REQUEST for references to what this version does not have: nothing is dropped in silence */
function deviceRequest({ value: body, text }: JsonBody<DeviceBody>): DeviceRequest {
  if (body.customerId && uuidOf(body.customerId) !== NULL_UUID) {
    throw new TandemError('BAD_REQUEST', { message: "Can't assign device to non-existent customer!" });
  }
  return {
    id: uuidOf(body.id),
    name: body.name,
    type: body.type,
    label: body.label,
    deviceProfileId: uuidOf(body.deviceProfileId),
    additionalInfo: body.additionalInfo ? splitJsonObject(text).get('additionalInfo') : null,
    firmwareId: uuidOf(body.firmwareId),
    softwareId: uuidOf(body.softwareId),
    version: body.version ?? undefined,
  };
}
