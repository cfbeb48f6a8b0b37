import { type Core, type Rpc, type RpcSortProperty, type RpcStatus, TandemError } from '@tandem/core';
import { accessDevice, accessRequestedDevice } from '../access/device-access';
import type { Principal } from '../auth/principal';
import { pageQuery } from '../http/paging';
import { uuidParameter } from '../http/path';
import { pageJson } from '../json/page-json';
import { RPC_ANSWER, rpcJson } from '../json/rpc-json';
import { pageOf } from '../json/schema';
import { EMPTY, jsonAnswer } from '../routing/answer';
import { withPlainRefusals } from '../routing/plain-refusals';
import { choiceParameter, pagingParameters } from '../routing/query-parameters';
import { empty, jsonText, type Reply } from '../routing/reply';
import { type ApiRequest, type Route, TENANT_AND_CUSTOMER, TENANT_ONLY } from '../routing/route';

const STATUSES: readonly RpcStatus[] = ['QUEUED', 'SENT', 'DELIVERED', 'SUCCESSFUL', 'TIMEOUT', 'FAILED', 'EXPIRED'];
/** Names of ThingsBoard, and what they sort by here. */
const SORTABLE: Readonly<Record<string, RpcSortProperty>> = {
  createdTime: 'createdTime',
  expirationTime: 'expirationTime',
  status: 'status',
  request: 'method',
  response: 'response',
};
const SORT_PROPERTIES = Object.keys(SORTABLE);

/** Server contract 6.3. */
export function persistentRpcRoutes({ state, devices }: Core): Route[] {
  /** A foreign one, and one that is not persistent, is as absent as one that never was. */
  const find = async (caller: Principal, params: ApiRequest['params']): Promise<Rpc> => {
    const id = uuidParameter(params, 'rpcId');
    const rpc = await state.rpcs.get(id);
    if (!rpc?.persistent || rpc.tenantId !== caller.user.tenantId) {
      throw new TandemError('NOT_FOUND', { message: `Rpc with id [${id}] is not found` });
    }
    await accessDevice(devices, caller, rpc.deviceId);
    return rpc;
  };

  const get = async ({ caller, params }: ApiRequest): Promise<Reply> => jsonText(rpcJson(await find(caller, params)));

  const remove = async ({ caller, params }: ApiRequest): Promise<Reply> => {
    const { id } = await find(caller, params);
    await state.rpcs.remove(id);
    return empty();
  };

  const list = ({ caller, params, query }: ApiRequest): Promise<Reply> => {
    const deviceId = uuidParameter(params, 'deviceId');
    const paging = pageQuery(query, SORT_PROPERTIES);
    const sortProperty = SORTABLE[paging.sortProperty ?? ''];
    const status = query.choice('rpcStatus', STATUSES);
    return withPlainRefusals(async () => {
      await accessRequestedDevice(devices, caller, deviceId);
      const page = await state.rpcs.list(deviceId, { ...paging, sortProperty, status });
      return jsonText(pageJson(page, page.data.map(rpcJson), paging));
    });
  };

  const both = { authorities: TENANT_AND_CUSTOMER, refusal: 'json' } as const;
  return [
    {
      method: 'GET',
      path: '/api/rpc/persistent/{rpcId}',
      summary: 'A persistent command',
      ...both,
      answer: jsonAnswer(RPC_ANSWER),
      handle: get,
    },
    {
      method: 'GET',
      path: '/api/rpc/persistent/device/{deviceId}',
      summary: 'Persistent commands of a device by page',
      query: [...pagingParameters(SORT_PROPERTIES), choiceParameter('rpcStatus', STATUSES)],
      answer: jsonAnswer(pageOf('RpcPage', RPC_ANSWER)),
      authorities: TENANT_AND_CUSTOMER,
      refusal: 'text',
      handle: list,
    },
    {
      method: 'DELETE',
      path: '/api/rpc/persistent/{rpcId}',
      summary: 'Delete a persistent command',
      answer: EMPTY,
      authorities: TENANT_ONLY,
      refusal: 'json',
      handle: remove,
    },
  ];
}
