import {
  type Attribute,
  type AttributeScope,
  type Core,
  type KeyValue,
  MAX_KEY_LENGTH,
  type PayloadSettings,
  parseAttributes,
  TandemError,
  type Uuid,
} from '@tandem/core';
import { accessRequestedDevice } from '../access/device-access';
import { isObject, parseStrictly } from '../http/json-body';
import { attributesJson } from '../json/attributes-json';
import { withPlainRefusals } from '../routing/plain-refusals';
import { empty, json, jsonText, type Reply } from '../routing/reply';
import { type ApiRequest, type Route, TENANT_AND_CUSTOMER } from '../routing/route';
import { deviceParameter, SCOPES, scopeParameter } from './telemetry-parameters';

const BASE = '/api/plugins/telemetry';
const ENTITY = `${BASE}/{entityType}/{entityId}`;

/** Server contract 5.1 and 5.2, the rows about attributes. */
export function attributesRoutes(core: Core): Route[] {
  const { attributes, devices, settings } = core;
  const payload: PayloadSettings = {
    typeCast: settings.JSON_TYPE_CAST_ENABLED,
    maxStringLength: settings.JSON_MAX_STRING_VALUE_LENGTH,
  };

  const readScopes = async (deviceId: Uuid, scopes: readonly AttributeScope[], keys?: readonly string[]) => {
    const read = await Promise.all(scopes.map((scope) => attributes.read(deviceId, scope, keys)));
    return read.flat();
  };

  const reading =
    (
      render: (found: readonly Attribute[]) => Reply,
      scopesOf: (params: ApiRequest['params']) => readonly AttributeScope[],
    ) =>
    ({ caller, params, query }: ApiRequest): Promise<Reply> => {
      const deviceId = deviceParameter(params);
      const scopes = scopesOf(params);
      const keys = query.list('keys', 'key');
      return withPlainRefusals(async () => {
        await accessRequestedDevice(devices, caller, deviceId);
        return render(await readScopes(deviceId, scopes, keys.length > 0 ? keys : undefined));
      });
    };

  const keysReply = (found: readonly Attribute[]) => json(found.map(({ key }) => key));
  const valuesReply = (found: readonly Attribute[]) => jsonText(attributesJson(found));
  const oneScope = (params: ApiRequest['params']) => [scopeParameter(params)];
  const allScopes = () => SCOPES;

  const save = ({ caller, params, body }: ApiRequest): Promise<Reply> => {
    const deviceId = deviceParameter(params);
    const scope = scopeParameter(params);
    return withPlainRefusals(async () => {
      if (scope === 'CLIENT') throw refused('Invalid scope: CLIENT_SCOPE');
      await accessRequestedDevice(devices, caller, deviceId);
      await attributes.saveFromServer(deviceId, scope, attributeEntries(await body('any'), payload));
      return empty();
    });
  };

  const remove = ({ caller, params, query }: ApiRequest): Promise<Reply> => {
    const deviceId = deviceParameter(params);
    const scope = scopeParameter(params);
    if (!query.has('keys') && !query.has('key')) query.requiredText('keys');
    const keys = query.list('keys', 'key');
    return withPlainRefusals(async () => {
      if (keys.length === 0) throw refused(`Empty keys: ${query.text('keys') ?? ''}`);
      await accessRequestedDevice(devices, caller, deviceId);
      await attributes.delete(deviceId, scope, keys);
      return empty();
    });
  };

  const guard = { authorities: TENANT_AND_CUSTOMER, refusal: 'text' } as const;
  return [
    { method: 'GET', path: `${ENTITY}/keys/attributes`, ...guard, handle: reading(keysReply, allScopes) },
    { method: 'GET', path: `${ENTITY}/keys/attributes/{scope}`, ...guard, handle: reading(keysReply, oneScope) },
    { method: 'GET', path: `${ENTITY}/values/attributes`, ...guard, handle: reading(valuesReply, allScopes) },
    { method: 'GET', path: `${ENTITY}/values/attributes/{scope}`, ...guard, handle: reading(valuesReply, oneScope) },
    { method: 'POST', path: `${ENTITY}/attributes/{scope}`, ...guard, handle: save },
    { method: 'POST', path: `${ENTITY}/{scope}`, ...guard, handle: save },
    { method: 'POST', path: `${BASE}/{deviceId}/{scope}`, ...guard, handle: save },
    { method: 'DELETE', path: `${ENTITY}/{scope}`, ...guard, handle: remove },
    { method: 'DELETE', path: `${BASE}/{deviceId}/{scope}`, ...guard, handle: remove },
  ];
}

/** @throws TandemError BAD_REQUEST with the sentences of server contract 5.2; unlike a device's, nothing is left out */
function attributeEntries(bytes: Buffer, settings: PayloadSettings): readonly KeyValue[] {
  const body = parseStrictly(bytes);
  if (!body) throw refused('Invalid JSON');
  if (!isObject(body.value)) throw refused('Request is not a JSON object');
  for (const key of Object.keys(body.value)) {
    if (key.trim() === '') throw refused('Key cannot be blank');
    if (key.length > MAX_KEY_LENGTH) throw refused(`Key is longer than ${MAX_KEY_LENGTH} characters`);
  }
  const { entries } = parseAttributes(bytes, settings);
  if (entries.length === 0) throw refused('No attributes data found in request body!');
  return entries;
}

const refused = (message: string) => new TandemError('BAD_REQUEST', { message });
