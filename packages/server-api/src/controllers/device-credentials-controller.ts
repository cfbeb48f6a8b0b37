import { type Core, TandemError } from '@tandem/core';
import { accessDevice } from '../access/device-access';
import { bodyReader } from '../http/body-reader';
import { uuidParameter } from '../http/path';
import { CREDENTIALS_ANSWER, credentialsJson } from '../json/device-json';
import { jsonAnswer } from '../routing/answer';
import { json, type Reply } from '../routing/reply';
import { type ApiRequest, type Route, TENANT_AND_CUSTOMER, TENANT_ONLY } from '../routing/route';
import { CREDENTIALS_SCHEMA, type CredentialsBody, uuidOf } from './device-schemas';

const readCredentials = bodyReader<CredentialsBody>(CREDENTIALS_SCHEMA);

/** Server contract 3.3. */
export function deviceCredentialsRoutes({ devices }: Core): Route[] {
  const get = async ({ caller, params }: ApiRequest): Promise<Reply> => {
    const device = await accessDevice(devices, caller, uuidParameter(params, 'deviceId'));
    return json(credentialsJson(await devices.credentials(device.tenantId, device.id)));
  };

  const update = async ({ caller, body }: ApiRequest): Promise<Reply> => {
    const given = await body(readCredentials);
    const deviceId = uuidOf(given.deviceId);
    if (deviceId === undefined) throw refused("Parameter 'deviceId' can't be empty!");
    const device = await accessDevice(devices, caller, deviceId);
    const stored = await devices.credentialsIfSound(device.tenantId, device.id);
    if (given.id && stored && uuidOf(given.id) !== stored.id)
      throw refused('Unable to update non-existent device credentials!');
    const request = credentialsRequest(given);
    return json(credentialsJson(await devices.updateCredentials(device.tenantId, device.id, request)));
  };

  return [
    {
      method: 'GET',
      path: '/api/device/{deviceId}/credentials',
      summary: 'Credentials of a device',
      answer: jsonAnswer(CREDENTIALS_ANSWER),
      authorities: TENANT_AND_CUSTOMER,
      refusal: 'json',
      handle: get,
    },
    {
      method: 'POST',
      path: '/api/device/credentials',
      summary: 'Change the credentials of a device',
      authorities: TENANT_ONLY,
      refusal: 'json',
      body: readCredentials,
      answer: jsonAnswer(CREDENTIALS_ANSWER),
      handle: update,
    },
  ];
}

export const credentialsRequest = ({ credentialsType, credentialsId, credentialsValue, version }: CredentialsBody) => ({
  credentialsType,
  credentialsId,
  credentialsValue,
  version: version ?? undefined,
});

const refused = (message: string) => new TandemError('BAD_REQUEST', { message });
