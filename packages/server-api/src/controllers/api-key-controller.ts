import { type ApiKey, absentApiKey, type Core, TandemError, type User, type Uuid } from '@tandem/core';
import { accessAsUser, accessUser } from '../access/user-access';
import type { Principal } from '../auth/principal';
import { bodyReader, looseReader } from '../http/body-reader';
import { pageQuery } from '../http/paging';
import { requireUuid, uuidParameter } from '../http/path';
import { flagOf } from '../http/query';
import { API_KEY_ANSWER, API_KEY_INFO_ANSWER, apiKeyInfoJson } from '../json/api-key-json';
import { pageJson } from '../json/page-json';
import { pageOf, TEXT } from '../json/schema';
import { EMPTY, jsonAnswer } from '../routing/answer';
import { pagingParameters } from '../routing/query-parameters';
import { empty, json, jsonText, type Reply } from '../routing/reply';
import { type ApiRequest, EVERYONE, type Route } from '../routing/route';
import { API_KEY_SCHEMA, type ApiKeyBody } from './account-schemas';
import { uuidOf } from './device-schemas';

const SORTABLE = ['createdTime', 'expirationTime', 'description', 'enabled'];

/** Server contract 2: API keys, of the caller and of the users below. */
export function apiKeyRoutes(core: Core): Route[] {
  const { apiKeys, users } = core;
  const info = (key: ApiKey) => apiKeyInfoJson(key, core.clock.now());

  /** Whose key is made: a key acts in its user's name. */
  const owner = (caller: Principal, id: Uuid): Promise<User> =>
    id === caller.user.id
      ? users.get(id)
      : accessAsUser(users, caller, id, core.settings.SECURITY_USER_TOKEN_ACCESS_ENABLED);

  /** A key of a foreign tenant is as absent as one that never was. */
  const accessKey = async ({ caller, params }: ApiRequest): Promise<ApiKey> => {
    const id = uuidParameter(params, 'id');
    const key = await apiKeys.get(id);
    try {
      await accessUser(users, caller, key.userId);
    } catch (error) {
      if (error instanceof TandemError && error.code === 'NOT_FOUND') throw absentApiKey(id);
      throw error;
    }
    return key;
  };

  const save = async (request: ApiRequest): Promise<Reply> => {
    const body = await request.body(readApiKey);
    const id = uuidOf(body.id);
    if (id) {
      const key = await accessKey({ ...request, params: { id } });
      if (requireUuid(body.userId.id) !== key.userId) {
        throw new TandemError('BAD_REQUEST', { message: 'The user of an API key cannot be changed' });
      }
      const changed = await apiKeys.update(key, {
        description: body.description,
        expirationTime: body.expirationTime ?? key.expirationTime,
        enabled: body.enabled ?? true,
      });
      return json({ ...info(changed), value: null });
    }
    const user = await owner(request.caller, requireUuid(body.userId.id));
    const { key, value } = await apiKeys.create(user, {
      description: body.description,
      expirationTime: body.expirationTime ?? 0,
      enabled: body.enabled ?? true,
    });
    return json({ ...info(key), value });
  };

  const list = async ({ caller, params, query }: ApiRequest): Promise<Reply> => {
    const user = await accessUser(users, caller, uuidParameter(params, 'userId'));
    const wanted = pageQuery(query, SORTABLE);
    const page = await apiKeys.list(user.id, wanted);
    const rows = page.data.map((key) => JSON.stringify(info(key)));
    return jsonText(pageJson(page, rows, wanted));
  };

  const describe = async (request: ApiRequest): Promise<Reply> => {
    const key = await accessKey(request);
    return json(info(await apiKeys.update(key, { description: await request.body(readDescription) })));
  };

  const enable = async (request: ApiRequest): Promise<Reply> => {
    const key = await accessKey(request);
    return json(info(await apiKeys.update(key, { enabled: flagOf('enabled', request.params.enabled) })));
  };

  const remove = async (request: ApiRequest): Promise<Reply> => {
    await apiKeys.delete((await accessKey(request)).id);
    return empty();
  };

  const own = { authorities: EVERYONE, refusal: 'json' } as const;
  return [
    {
      method: 'POST',
      path: '/api/apiKey',
      summary: 'Make an API key, whose value is shown this once, or change one',
      ...own,
      body: readApiKey,
      answer: jsonAnswer(API_KEY_ANSWER),
      handle: save,
    },
    {
      method: 'GET',
      path: '/api/apiKeys/{userId}',
      summary: 'API keys of a user by page',
      ...own,
      query: pagingParameters(SORTABLE),
      answer: jsonAnswer(pageOf('ApiKeyPage', API_KEY_INFO_ANSWER)),
      handle: list,
    },
    {
      method: 'PUT',
      path: '/api/apiKey/{id}/description',
      summary: 'Describe an API key; the body is the text itself',
      ...own,
      body: readDescription,
      answer: jsonAnswer(API_KEY_INFO_ANSWER),
      handle: describe,
    },
    {
      method: 'PUT',
      path: '/api/apiKey/{id}/enabled/{enabled}',
      summary: 'Let an API key in, or keep out',
      ...own,
      answer: jsonAnswer(API_KEY_INFO_ANSWER),
      handle: enable,
    },
    {
      method: 'DELETE',
      path: '/api/apiKey/{id}',
      summary: 'Delete an API key',
      ...own,
      answer: EMPTY,
      handle: remove,
    },
  ];
}

const readApiKey = bodyReader<ApiKeyBody>(API_KEY_SCHEMA);
const readDescription = looseReader(TEXT, (bytes) => bytes.toString());
