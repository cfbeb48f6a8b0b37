import {
  isFinal,
  type NewRpc,
  OPEN_RPC_STATES,
  type Rpc,
  type RpcPatch,
  type RpcRow,
  type RpcStatus,
} from '@tandem/core';

export const RPC_STATES: readonly RpcStatus[] = [...OPEN_RPC_STATES, 'SUCCESSFUL', 'FAILED', 'EXPIRED'];

/** What is read of a command's hash, in the order in which every script replies it. */
export const RPC_FIELDS = [
  'base',
  'requestId',
  'status',
  'attempts',
  'response',
  'responseIsJson',
  'heldUntil',
] as const;

export type RpcFields = readonly (string | null)[];

/** The part of a command that never changes, as one text: two creations with the same text are the same command. */
export const baseOf = (rpc: NewRpc): string =>
  JSON.stringify({
    id: rpc.id,
    tenantId: rpc.tenantId,
    deviceId: rpc.deviceId,
    createdTime: rpc.createdTime,
    expirationTime: rpc.expirationTime,
    oneway: rpc.oneway,
    persistent: rpc.persistent,
    method: rpc.method,
    params: rpc.params,
    retries: rpc.retries,
    additionalInfo: rpc.additionalInfo,
    trace: rpc.trace,
  } satisfies NewRpc);

/** A command out of its hash; undefined when there is none. */
export function rpcOf(fields: RpcFields): Rpc | undefined {
  const [base, requestId, status, attempts, response, responseIsJson, heldUntil] = fields;
  if (!base) return undefined;
  return {
    ...(JSON.parse(base) as NewRpc),
    requestId: Number(requestId),
    status: status as RpcStatus,
    attempts: Number(attempts),
    response: response ?? null,
    responseIsJson: responseIsJson === '1',
    heldUntil: Number(heldUntil),
  };
}

/** What `rpc-rows.lua` replies of a command. */
export function rowOf([id, status, expires, method, response]: RpcFields): RpcRow {
  return {
    id: id ?? '',
    status: (status ?? 'QUEUED') as RpcStatus,
    expirationTime: Number(expires),
    method: method ?? '',
    response: response ?? null,
  };
}

export const digit = (flag: boolean): '1' | '0' => (flag ? '1' : '0');

/** `,A,B,`: a script finds `,A,` in it. */
export const statesArgument = (states: readonly RpcStatus[]): string => `,${states.join(',')},`;

/** Whether a command of this status is open; whether it is final, by form: one-way * 2 + persistent. */
export const statusArguments = (status: RpcStatus): [open: string, final: string] => [
  digit(OPEN_RPC_STATES.includes(status)),
  [false, true]
    .flatMap((oneway) => [false, true].map((persistent) => digit(isFinal({ status, oneway, persistent }))))
    .join(''),
];

/**
 * Whether the change may be written also where Redis is out of memory: it can end a command, and so makes room or writes in
 * the place of what was there.
 */
export const needsNoMemory = ({ status, response }: RpcPatch): boolean =>
  statusArguments(status)[1].includes('1') && typeof response !== 'string';

/** Fields and values that a patch writes, and whether it takes the response away. */
export function patchArguments(patch: RpcPatch): { removesResponse: boolean; written: (string | number)[] } {
  const written: (string | number)[] = ['status', patch.status, 'heldUntil', patch.heldUntil ?? 0];
  if (typeof patch.response === 'string') written.push('response', patch.response);
  if (patch.responseIsJson !== undefined) written.push('responseIsJson', digit(patch.responseIsJson));
  if (patch.attempts !== undefined) written.push('attempts', patch.attempts);
  return { removesResponse: patch.response === null, written };
}
