import type { Core } from '@tandem/core';
import { bodyWithTextReader } from '../http/body-reader';
import { pageQuery } from '../http/paging';
import { uuidParameter } from '../http/path';
import { CUSTOMER_ANSWER, customerJson } from '../json/customer-json';
import { pageJson } from '../json/page-json';
import { pageOf } from '../json/schema';
import { EMPTY, jsonAnswer } from '../routing/answer';
import { pagingParameters, required, textParameter } from '../routing/query-parameters';
import { empty, jsonText, type Reply } from '../routing/reply';
import { type ApiRequest, type Route, TENANT_ONLY } from '../routing/route';
import { CUSTOMER_SCHEMA, type TitledBody } from './account-schemas';
import { uuidOf } from './device-schemas';
import { titledRequest } from './tenant-controller';

const SORTABLE = ['createdTime', 'title', 'email', 'country', 'state', 'city', 'address', 'address2', 'zip', 'phone'];

/** Server contract 2: customers of the caller's tenant. */
export function customerRoutes({ customers }: Core): Route[] {
  const save = async (request: ApiRequest): Promise<Reply> => {
    const { tenantId } = request.caller.user;
    const body = await request.body(readCustomer);
    const id = uuidOf(body.value.id);
    const { region: _, ...content } = titledRequest(body);
    const saved = await (id ? customers.update(tenantId, id, content) : customers.create(tenantId, content));
    return jsonText(customerJson(saved));
  };

  const get = async ({ caller, params }: ApiRequest): Promise<Reply> =>
    jsonText(customerJson(await customers.get(caller.user.tenantId, uuidParameter(params, 'customerId'))));

  const findByTitle = async ({ caller, query }: ApiRequest): Promise<Reply> =>
    jsonText(customerJson(await customers.findByTitle(caller.user.tenantId, query.requiredText('customerTitle'))));

  const list = async ({ caller, query }: ApiRequest): Promise<Reply> => {
    const wanted = pageQuery(query, SORTABLE);
    const page = await customers.list(caller.user.tenantId, wanted);
    return jsonText(pageJson(page, page.data.map(customerJson), wanted));
  };

  const remove = async ({ caller, params }: ApiRequest): Promise<Reply> => {
    await customers.delete(caller.user.tenantId, uuidParameter(params, 'customerId'));
    return empty();
  };

  const tenant = { authorities: TENANT_ONLY, refusal: 'json' } as const;
  return [
    {
      method: 'POST',
      path: '/api/customer',
      summary: 'Create or change a customer',
      ...tenant,
      body: readCustomer,
      answer: CUSTOMER,
      handle: save,
    },
    {
      method: 'GET',
      path: '/api/customer/{customerId}',
      summary: 'A customer',
      ...tenant,
      answer: CUSTOMER,
      handle: get,
    },
    {
      method: 'GET',
      path: '/api/customers',
      summary: 'Customers by page',
      ...tenant,
      query: pagingParameters(SORTABLE),
      answer: jsonAnswer(pageOf('CustomerPage', CUSTOMER_ANSWER)),
      handle: list,
    },
    {
      method: 'GET',
      path: '/api/tenant/customers',
      summary: 'A customer by its title',
      ...tenant,
      query: [required(textParameter('customerTitle'))],
      answer: CUSTOMER,
      handle: findByTitle,
    },
    {
      method: 'DELETE',
      path: '/api/customer/{customerId}',
      summary: 'Delete a customer and its users, and unassign its devices',
      ...tenant,
      answer: EMPTY,
      handle: remove,
    },
  ];
}

const CUSTOMER = jsonAnswer(CUSTOMER_ANSWER);
const readCustomer = bodyWithTextReader<TitledBody>(CUSTOMER_SCHEMA);
