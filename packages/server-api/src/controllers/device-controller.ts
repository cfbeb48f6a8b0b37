import {
  type Core,
  type CredentialsRequest,
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
import { uuidParameter } from '../http/path';
import { DEVICE_ANSWER, DEVICE_INFO_ANSWER } from '../json/device-json';
import { EMPTY, jsonAnswer } from '../routing/answer';
import { textParameter } from '../routing/query-parameters';
import { empty, jsonText, type Reply } from '../routing/reply';
import { type ApiRequest, type Route, TENANT_AND_CUSTOMER, TENANT_ONLY } from '../routing/route';
import { credentialsRequest } from './device-credentials-controller';
import { deviceRenderer } from './device-renderer';
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
  const { devices, deviceInfos } = core;
  const { one, infoTexts } = deviceRenderer(core);

  const create = async (
    { user }: Principal,
    request: DeviceRequest,
    credentials: CredentialsRequest,
  ): Promise<Device> => {
    if (user.authority !== 'TENANT_ADMIN') throw new TandemError('PERMISSION_DENIED');
    return core.newDevices.create(user.tenantId, request, credentials);
  };

  const update = async (caller: Principal, request: DeviceRequest & { readonly id: Uuid }): Promise<Device> => {
    const stored = await accessDevice(devices, caller, request.id);
    return devices.update(
      stored.tenantId,
      caller.user.authority === 'TENANT_ADMIN' ? request : asCustomer(stored, request),
    );
  };

  const save = async ({ caller, query, body }: ApiRequest): Promise<Reply> => {
    const request = deviceRequest(await body(readDevice));
    const { id } = request;
    if (id !== undefined) return one(await update(caller, { ...request, id }));
    return one(await create(caller, request, { credentialsId: query.text('accessToken') }));
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
    if (id === undefined) return one(await create(caller, request, given));
    const { tenantId } = await accessDevice(devices, caller, id);
    return one(await devices.updateWithCredentials(tenantId, { ...request, id }, given));
  };

  const get = async ({ caller, params }: ApiRequest): Promise<Reply> =>
    one(await accessDevice(devices, caller, uuidParameter(params, 'deviceId')));

  const getInfo = async ({ caller, params }: ApiRequest): Promise<Reply> => {
    const device = await accessDevice(devices, caller, uuidParameter(params, 'deviceId'));
    const [info = ''] = await infoTexts(await deviceInfos.of([device]));
    return jsonText(info);
  };

  const remove = async ({ caller, params }: ApiRequest): Promise<Reply> => {
    await devices.delete(caller.user.tenantId, uuidParameter(params, 'deviceId'));
    return empty();
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
    {
      method: 'GET',
      path: '/api/device/{deviceId}',
      summary: 'A device',
      ...both,
      publicToo: true,
      answer: DEVICE,
      handle: get,
    },
    {
      method: 'GET',
      path: '/api/device/info/{deviceId}',
      summary: 'A device with what belongs to it',
      ...both,
      publicToo: true,
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
  ];
}

const DEVICE = jsonAnswer(DEVICE_ANSWER);

/**
 * What a user of a customer changes of its device: neither whose it is, nor its profile, which the change could even create,
 * nor its packages. What is left out stays.
 * @throws TandemError PERMISSION_DENIED
 */
function asCustomer(stored: Device, request: DeviceRequest & { readonly id: Uuid }) {
  const { type, customerId, deviceProfileId } = stored;
  const kept = {
    type,
    customerId,
    deviceProfileId,
    firmwareId: stored.firmwareId ?? undefined,
    softwareId: stored.softwareId ?? undefined,
  };
  const wanted = { ...request, type: request.type ?? undefined };
  for (const name of ['type', 'customerId', 'deviceProfileId', 'firmwareId', 'softwareId'] as const) {
    if (wanted[name] !== undefined && wanted[name] !== kept[name]) throw new TandemError('PERMISSION_DENIED');
  }
  return { ...request, ...kept };
}

function deviceRequest({ value: body, text }: JsonBody<DeviceBody>): DeviceRequest {
  return {
    id: uuidOf(body.id),
    name: body.name,
    type: body.type,
    label: body.label,
    deviceProfileId: uuidOf(body.deviceProfileId),
    customerId: body.customerId === null ? NULL_UUID : uuidOf(body.customerId),
    additionalInfo: body.additionalInfo ? splitJsonObject(text).get('additionalInfo') : null,
    firmwareId: uuidOf(body.firmwareId),
    softwareId: uuidOf(body.softwareId),
    version: body.version ?? undefined,
  };
}
