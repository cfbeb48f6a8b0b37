import { type Core, splitJsonObject, TandemError } from '@tandem/core';
import { bodyWithTextReader } from '../http/body-reader';
import type { JsonBody } from '../http/json-body';
import { pageQuery } from '../http/paging';
import { uuidParameter } from '../http/path';
import { pageJson } from '../json/page-json';
import { pageOf } from '../json/schema';
import { TENANT_ANSWER, tenantJson } from '../json/tenant-json';
import { EMPTY, jsonAnswer } from '../routing/answer';
import { pagingParameters } from '../routing/query-parameters';
import { empty, jsonText, type Reply } from '../routing/reply';
import { ADMINISTRATORS, type ApiRequest, type Route, SYSTEM_ONLY } from '../routing/route';
import { TENANT_SCHEMA, type TitledBody } from './account-schemas';
import { uuidOf } from './device-schemas';

const SORTABLE = ['createdTime', 'title', 'email', 'country', 'state', 'city', 'address', 'address2', 'zip', 'phone'];

/** Server contract 2: tenants. */
export function tenantRoutes(core: Core): Route[] {
  const save = async (request: ApiRequest): Promise<Reply> => {
    const body = await request.body(readTenant);
    const id = uuidOf(body.value.id);
    const content = titledRequest(body);
    return jsonText(tenantJson(await (id ? core.tenants.update(id, content) : core.tenants.create(content))));
  };

  const get = async ({ caller, params }: ApiRequest): Promise<Reply> => {
    const id = uuidParameter(params, 'tenantId');
    if (caller.user.authority !== 'SYS_ADMIN' && caller.user.tenantId !== id) {
      throw new TandemError('NOT_FOUND', { message: `Tenant with id [${id}] is not found` });
    }
    return jsonText(tenantJson(await core.tenants.get(id)));
  };

  const list = async ({ query }: ApiRequest): Promise<Reply> => {
    const wanted = pageQuery(query, SORTABLE);
    const page = await core.tenants.list(wanted);
    return jsonText(pageJson(page, page.data.map(tenantJson), wanted));
  };

  const remove = async ({ params }: ApiRequest): Promise<Reply> => {
    await core.tenants.delete(uuidParameter(params, 'tenantId'));
    return empty();
  };

  const system = { authorities: SYSTEM_ONLY, refusal: 'json' } as const;
  return [
    {
      method: 'POST',
      path: '/api/tenant',
      summary: 'Create or change a tenant',
      ...system,
      body: readTenant,
      answer: TENANT,
      handle: save,
    },
    {
      method: 'GET',
      path: '/api/tenant/{tenantId}',
      summary: 'A tenant',
      authorities: ADMINISTRATORS,
      refusal: 'json',
      answer: TENANT,
      handle: get,
    },
    {
      method: 'GET',
      path: '/api/tenants',
      summary: 'Tenants by page',
      ...system,
      query: pagingParameters(SORTABLE),
      answer: jsonAnswer(pageOf('TenantPage', TENANT_ANSWER)),
      handle: list,
    },
    {
      method: 'DELETE',
      path: '/api/tenant/{tenantId}',
      summary: 'Delete a tenant with everything it has',
      ...system,
      answer: EMPTY,
      handle: remove,
    },
  ];
}

const TENANT = jsonAnswer(TENANT_ANSWER);
const readTenant = bodyWithTextReader<TitledBody>(TENANT_SCHEMA);

/** What a tenant or customer is to be. */
export function titledRequest({ value: body, text }: JsonBody<TitledBody>) {
  const { country, state, city, address, address2, zip, phone, email } = body;
  const contact = { country, state, city, address, address2, zip, phone, email };
  return {
    ...Object.fromEntries(Object.entries(contact).map(([name, value]) => [name, value ?? null])),
    title: body.title,
    region: body.region ?? null,
    additionalInfo: body.additionalInfo ? splitJsonObject(text).get('additionalInfo') : null,
    version: body.version ?? undefined,
  };
}
