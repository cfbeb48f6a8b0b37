import {
  type Attribute,
  type AttributeScope,
  type Core,
  type KeyValue,
  keyFault,
  type PayloadSettings,
  parseAttributes,
  TandemError,
  type Uuid,
} from '@tandem/core';
import { accessRequestedDevice } from '../access/device-access';
import { looseReader } from '../http/body-reader';
import { isObject, parseStrictly } from '../http/json-body';
import { ATTRIBUTES_ANSWER, attributesJson } from '../json/attributes-json';
import { ANY, listOf, mapOf, TEXT } from '../json/schema';
import { EMPTY, jsonAnswer } from '../routing/answer';
import { withPlainRefusals } from '../routing/plain-refusals';
import { listParameters } from '../routing/query-parameters';
import { empty, json, jsonText, type Reply } from '../routing/reply';
import { type ApiRequest, type Route, TENANT_AND_CUSTOMER } from '../routing/route';
import { deviceParameter, SCOPES, scopeParameter } from './telemetry-parameters';

const BASE = '/api/plugins/telemetry';
const ENTITY = `${BASE}/{entityType}/{entityId}`;
const KEYS = listParameters('keys', 'key');

/** Server contract 5.1 and 5.2, the rows about attributes. */
export function attributesRoutes(core: Core): Route[] {
  const { attributes, devices, settings } = core;
  const payload: PayloadSettings = {
    typeCast: settings.JSON_TYPE_CAST_ENABLED,
    maxStringLength: settings.JSON_MAX_STRING_VALUE_LENGTH,
  };

  const readEntries = looseReader(mapOf(ANY), (bytes) => attributeEntries(bytes, payload));

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
      await attributes.saveFromServer(deviceId, scope, await body(readEntries));
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
  const reads = { ...guard, method: 'GET', publicToo: true, query: KEYS } as const;
  const keys = { ...reads, answer: jsonAnswer(listOf(TEXT)) } as const;
  const values = { ...reads, answer: jsonAnswer(ATTRIBUTES_ANSWER) } as const;
  const saving = { ...guard, method: 'POST', answer: EMPTY, body: readEntries, handle: save } as const;
  const removing = { ...guard, method: 'DELETE', answer: EMPTY, query: KEYS, handle: remove } as const;
  return [
    {
      ...keys,
      path: `${ENTITY}/keys/attributes`,
      summary: 'Keys of all attributes',
      handle: reading(keysReply, allScopes),
    },
    {
      ...keys,
      path: `${ENTITY}/keys/attributes/{scope}`,
      summary: 'Keys of the attributes of a scope',
      handle: reading(keysReply, oneScope),
    },
    {
      ...values,
      path: `${ENTITY}/values/attributes`,
      summary: 'Attributes of all scopes',
      handle: reading(valuesReply, allScopes),
    },
    {
      ...values,
      path: `${ENTITY}/values/attributes/{scope}`,
      summary: 'Attributes of a scope',
      handle: reading(valuesReply, oneScope),
    },
    { ...saving, path: `${ENTITY}/attributes/{scope}`, summary: 'Save attributes' },
    { ...saving, path: `${ENTITY}/{scope}`, summary: 'Save attributes' },
    { ...saving, path: `${BASE}/{deviceId}/{scope}`, summary: 'Save attributes of a device' },
    { ...removing, path: `${ENTITY}/{scope}`, summary: 'Delete attributes' },
    { ...removing, path: `${BASE}/{deviceId}/{scope}`, summary: 'Delete attributes of a device' },
  ];
}

/** @throws TandemError BAD_REQUEST with the sentences of server contract 5.2; unlike a device's, nothing is left out */
function attributeEntries(bytes: Buffer, settings: PayloadSettings): readonly KeyValue[] {
  const body = parseStrictly(bytes);
  if (!body) throw refused('Invalid JSON');
  if (!isObject(body.value)) throw refused('Request is not a JSON object');
  for (const key of Object.keys(body.value)) {
    if (key.trim() === '') throw refused('Key cannot be blank');
    const fault = keyFault(key);
    if (fault !== undefined) throw refused(`Key ${fault}`);
  }
  const { entries } = parseAttributes(bytes, settings);
  if (entries.length === 0) throw refused('No attributes data found in request body!');
  return entries;
}

const refused = (message: string) => new TandemError('BAD_REQUEST', { message });
