import { type Core, TandemError } from '@tandem/core';
import { looseReader } from '../http/body-reader';
import { parseStrictly, shapeChecker } from '../http/json-body';
import { DEVICE_ANSWER, deviceJson } from '../json/device-json';
import { exactly, oneOf } from '../json/schema';
import { EMPTY, jsonAnswer } from '../routing/answer';
import { empty, jsonText, type Reply } from '../routing/reply';
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

/** Server contract 7. */
export function claimRoutes({ claiming, profileTransports }: Core): Route[] {
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
  ];
}
