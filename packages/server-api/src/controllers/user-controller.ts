import {
  type Core,
  NULL_UUID,
  splitJsonObject,
  TandemError,
  type User,
  type UserFilter,
  type UserPlace,
  type UserRequest,
  type Uuid,
} from '@tandem/core';
import { accessAsUser, accessUser } from '../access/user-access';
import { bodyWithTextReader } from '../http/body-reader';
import type { JsonBody } from '../http/json-body';
import { pageQuery } from '../http/paging';
import { uuidParameter } from '../http/path';
import type { Query } from '../http/query';
import { pageJson } from '../json/page-json';
import { FLAG, pageOf } from '../json/schema';
import { USER_ANSWER, userJson } from '../json/user-json';
import { EMPTY, jsonAnswer } from '../routing/answer';
import { flagParameter, pagingParameters } from '../routing/query-parameters';
import { empty, json, jsonText, type Reply } from '../routing/reply';
import { ADMINISTRATORS, type ApiRequest, EVERYONE, type Route, SYSTEM_ONLY, TENANT_ONLY } from '../routing/route';
import { USER_SCHEMA, type UserBody } from './account-schemas';
import { type AuthServices, TOKENS } from './auth-controller';
import { uuidOf } from './device-schemas';

const SORTABLE = ['createdTime', 'firstName', 'lastName', 'email'];

/** Server contract 2: users. */
export function userRoutes(core: Core, { tokens }: AuthServices): Route[] {
  const { users } = core;
  const asOthers = core.settings.SECURITY_USER_TOKEN_ACCESS_ENABLED;

  const save = async (request: ApiRequest): Promise<Reply> => {
    const body = await request.body(readUser);
    const id = uuidOf(body.value.id);
    if (id) {
      const stored = await accessUser(users, request.caller, id);
      requireSamePlace(stored, body.value);
      return jsonText(userJson(await users.update(stored, userRequest(body))));
    }
    const place = placeOf(request.caller.user, body.value);
    if (!request.query.has('sendActivationMail') || request.query.flag('sendActivationMail')) {
      throw new TandemError('BAD_REQUEST', {
        message: 'No mail can be sent: create users with sendActivationMail=false, and ask for their activation link',
      });
    }
    return jsonText(userJson(await users.create(place, userRequest(body))));
  };

  const get = async ({ caller, params }: ApiRequest): Promise<Reply> =>
    jsonText(userJson(await accessUser(users, caller, uuidParameter(params, 'userId'))));

  const page = async (tenantId: Uuid, filter: UserFilter, query: Query): Promise<Reply> => {
    const wanted = pageQuery(query, SORTABLE);
    const found = await users.list(tenantId, filter, wanted);
    return jsonText(pageJson(found, found.data.map(userJson), wanted));
  };

  const ofTenant = async ({ params, query }: ApiRequest): Promise<Reply> => {
    const { id } = await core.tenants.get(uuidParameter(params, 'tenantId'));
    return page(id, { authority: 'TENANT_ADMIN' }, query);
  };

  const ofCustomer = async ({ caller, params, query }: ApiRequest): Promise<Reply> => {
    const { tenantId } = caller.user;
    const { id } = await core.customers.get(tenantId, uuidParameter(params, 'customerId'));
    return page(tenantId, { authority: 'CUSTOMER_USER', customerId: id }, query);
  };

  const remove = async ({ caller, params }: ApiRequest): Promise<Reply> => {
    const user = await accessUser(users, caller, uuidParameter(params, 'userId'));
    if (user.authority === 'SYS_ADMIN') {
      throw new TandemError('PERMISSION_DENIED', { message: 'Sysadmin is not allowed to delete himself' });
    }
    await users.delete(user.id);
    return empty();
  };

  const tokenOf = async ({ caller, params }: ApiRequest): Promise<Reply> => {
    const user = await accessAsUser(users, caller, uuidParameter(params, 'userId'), asOthers);
    const account = await core.state.accounts.getAccount(user.id);
    if (!account) throw new TandemError('NOT_FOUND');
    if (!account.credentials.enabled) {
      throw new TandemError('BAD_REQUEST', { message: 'User account is not active: no tokens would be good' });
    }
    return json(await tokens.issue(account, core.random.uuid()));
  };

  const enable = async ({ caller, params, query }: ApiRequest): Promise<Reply> => {
    const user = await accessUser(users, caller, uuidParameter(params, 'userId'));
    if (user.id === caller.user.id) throw new TandemError('PERMISSION_DENIED');
    const enabled = !query.has('userCredentialsEnabled') || query.flag('userCredentialsEnabled');
    await core.logins.setEnabled(user.id, enabled);
    return empty();
  };

  const everyone = { authorities: EVERYONE, refusal: 'json' } as const;
  const administrators = { authorities: ADMINISTRATORS, refusal: 'json' } as const;
  return [
    {
      method: 'POST',
      path: '/api/user',
      summary: 'Create or change a user',
      ...everyone,
      query: [flagParameter('sendActivationMail', 'Must be false for a new user: no mail is sent')],
      body: readUser,
      answer: USER,
      handle: save,
    },
    {
      method: 'GET',
      path: '/api/user/tokenAccessEnabled',
      summary: 'Whether administrators may get tokens of the users below them',
      ...administrators,
      answer: jsonAnswer(FLAG),
      handle: async () => json(asOthers),
    },
    { method: 'GET', path: '/api/user/{userId}', summary: 'A user', ...everyone, answer: USER, handle: get },
    {
      method: 'DELETE',
      path: '/api/user/{userId}',
      summary: 'Delete a user with the API keys',
      ...administrators,
      answer: EMPTY,
      handle: remove,
    },
    {
      method: 'GET',
      path: '/api/user/{userId}/token',
      summary: 'Tokens of a user below the caller',
      ...administrators,
      answer: TOKENS,
      handle: tokenOf,
    },
    {
      method: 'POST',
      path: '/api/user/{userId}/userCredentialsEnabled',
      summary: 'Let a user in, or keep out',
      ...administrators,
      query: [{ ...flagParameter('userCredentialsEnabled'), schema: { type: 'boolean', default: true } }],
      answer: EMPTY,
      handle: enable,
    },
    {
      method: 'GET',
      path: '/api/users',
      summary: "Users of the caller's tenant by page",
      authorities: TENANT_ONLY,
      refusal: 'json',
      query: pagingParameters(SORTABLE),
      answer: USERS,
      handle: async ({ caller, query }) => page(caller.user.tenantId, {}, query),
    },
    {
      method: 'GET',
      path: '/api/tenant/{tenantId}/users',
      summary: 'Administrators of a tenant by page',
      authorities: SYSTEM_ONLY,
      refusal: 'json',
      query: pagingParameters(SORTABLE),
      answer: USERS,
      handle: ofTenant,
    },
    {
      method: 'GET',
      path: '/api/customer/{customerId}/users',
      summary: 'Users of a customer by page',
      authorities: TENANT_ONLY,
      refusal: 'json',
      query: pagingParameters(SORTABLE),
      answer: USERS,
      handle: ofCustomer,
    },
  ];
}

const USER = jsonAnswer(USER_ANSWER);
const USERS = jsonAnswer(pageOf('UserPage', USER_ANSWER));
const readUser = bodyWithTextReader<UserBody>(USER_SCHEMA);

const userRequest = ({ value: body, text }: JsonBody<UserBody>): UserRequest => ({
  email: body.email,
  firstName: body.firstName,
  lastName: body.lastName,
  phone: body.phone,
  additionalInfo: body.additionalInfo ? splitJsonObject(text).get('additionalInfo') : null,
  version: body.version ?? undefined,
});

/** Where the caller may put a new user. @throws TandemError PERMISSION_DENIED, BAD_REQUEST */
function placeOf(caller: User, { authority, tenantId, customerId }: UserBody): UserPlace {
  const customer = uuidOf(customerId) ?? NULL_UUID;
  const allowed = { SYS_ADMIN: ['TENANT_ADMIN'], TENANT_ADMIN: ['TENANT_ADMIN', 'CUSTOMER_USER'], CUSTOMER_USER: [] };
  if (!authority) throw new TandemError('BAD_REQUEST', { message: 'User authority should be specified!' });
  if (!(allowed[caller.authority] as string[]).includes(authority)) throw new TandemError('PERMISSION_DENIED');
  const tenant = caller.authority === 'SYS_ADMIN' ? uuidOf(tenantId) : caller.tenantId;
  if (!tenant) {
    throw new TandemError('BAD_REQUEST', { message: 'Tenant administrator should be assigned to tenant!' });
  }
  if (authority === 'TENANT_ADMIN' && customer !== NULL_UUID) {
    throw new TandemError('BAD_REQUEST', { message: "Tenant administrator can't be assigned to customer!" });
  }
  if (authority === 'CUSTOMER_USER' && customer === NULL_UUID) {
    throw new TandemError('BAD_REQUEST', { message: 'Customer user should be assigned to customer!' });
  }
  return { tenantId: tenant, authority, customerId: customer };
}

/** Nobody changes sides. @throws TandemError BAD_REQUEST */
function requireSamePlace(stored: User, { authority, tenantId, customerId }: UserBody): void {
  const moved = (
    [
      ['authority', authority ?? undefined, stored.authority],
      ['tenant', uuidOf(tenantId), stored.tenantId],
      ['customer', uuidOf(customerId), stored.customerId],
    ] as const
  ).find(([, given, present]) => given !== undefined && given !== present);
  if (moved) throw new TandemError('BAD_REQUEST', { message: `Can't change the ${moved[0]} of a user!` });
}
