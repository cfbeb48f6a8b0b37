import { type Core, NULL_UUID, TandemError } from '@tandem/core';
import { accessDevice } from '../access/device-access';
import { looseReader } from '../http/body-reader';
import { parseStrictly, shapeChecker } from '../http/json-body';
import { uuidParameter } from '../http/path';
import { DEVICE_ANSWER, deviceJson } from '../json/device-json';
import { EPOCH_MILLIS, exactly, nullable, oneOf, TEXT } from '../json/schema';
import { EMPTY, jsonAnswer } from '../routing/answer';
import { empty, json, jsonText, type Reply } from '../routing/reply';
import { type ApiRequest, CUSTOMER_ONLY, type Route, TENANT_AND_CUSTOMER } from '../routing/route';

interface ClaimBody {
  readonly secretKey?: string | number | null;
}

const BODY_SCHEMA = {
  type: 'object',
  properties: { secretKey: { type: ['string', 'number', 'null'] } },
};
const checkBody = shapeChecker<ClaimBody>(BODY_SCHEMA);

/** A body that is not there is as `{}`. */
const readBody = looseReader(BODY_SCHEMA, (bytes): ClaimBody => {
  if (bytes.length === 0) return {};
  const body = parseStrictly(bytes);
  if (!body) throw new TandemError('BAD_PAYLOAD', { message: 'The request body is not JSON' });
  return checkBody(body.value);
});

const CLAIM_ANSWER = exactly('ClaimResult', { device: DEVICE_ANSWER, response: oneOf('SUCCESS') });

const CLAIM_STATE_ANSWER = exactly('ClaimState', {
  state: oneOf('CLAIMED', 'CLAIMABLE', 'NOT_CLAIMABLE'),
  expirationTime: nullable(EPOCH_MILLIS),
  customerTitle: nullable(TEXT),
});

/** Server contract 7, and how it stands with a device. */
export function claimRoutes({ claiming, deviceInfos, devices, profileTransports }: Core): Route[] {
  const claim = async ({ caller, params, body }: ApiRequest): Promise<Reply> => {
    const { secretKey } = await body(readBody);
    const outcome = await claiming.claim(caller.user, params.deviceName ?? '', String(secretKey ?? ''));
    const { response } = outcome;
    if (response !== 'SUCCESS') return { ...jsonText(JSON.stringify(response)), status: 400 };
    const { device } = outcome;
    const transport = await profileTransports.of(device.deviceProfileId);
    return jsonText(`{"device":${deviceJson(device, transport)},"response":"${response}"}`);
  };

  const reclaim = async ({ caller, params }: ApiRequest): Promise<Reply> => {
    await claiming.reclaim(caller.user, params.deviceName ?? '');
    return empty();
  };

  /** Without what a secret could be guessed from. */
  const state = async ({ caller, params }: ApiRequest): Promise<Reply> => {
    const device = await accessDevice(devices, caller, uuidParameter(params, 'deviceId'));
    const until = await claiming.claimableUntil(device);
    const [info] = await deviceInfos.of([device]);
    const unclaimed = until === undefined ? 'NOT_CLAIMABLE' : 'CLAIMABLE';
    return json({
      state: device.customerId === NULL_UUID ? unclaimed : 'CLAIMED',
      expirationTime: until ?? null,
      customerTitle: info?.customer?.title ?? null,
    });
  };

  const path = '/api/customer/device/{deviceName}/claim';
  return [
    {
      method: 'POST',
      path,
      summary: 'Claim a device for the customer of the user',
      body: readBody,
      answer: jsonAnswer(CLAIM_ANSWER),
      authorities: CUSTOMER_ONLY,
      refusal: 'json',
      handle: claim,
    },
    {
      method: 'DELETE',
      path,
      summary: 'Take a device back from its customer',
      answer: EMPTY,
      authorities: TENANT_AND_CUSTOMER,
      refusal: 'json',
      handle: reclaim,
    },
    {
      method: 'GET',
      path: '/api/tandem/claim/{deviceId}',
      summary: 'Whether a device has a customer, or can be claimed, and until when',
      answer: jsonAnswer(CLAIM_STATE_ANSWER),
      authorities: TENANT_AND_CUSTOMER,
      refusal: 'json',
      handle: state,
    },
  ];
}
