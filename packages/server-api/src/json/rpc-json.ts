import type { Rpc } from '@tandem/core';
import { entityId } from './entity-id';
import { ANY, EPOCH_MILLIS, exactly, FLAG, idSchema, nullable, oneOf, TEXT, UUID, WHOLE } from './schema';

export const RPC_ANSWER = exactly('Rpc', {
  id: idSchema('RPC'),
  createdTime: EPOCH_MILLIS,
  tenantId: idSchema('TENANT'),
  deviceId: idSchema('DEVICE'),
  expirationTime: EPOCH_MILLIS,
  request: exactly('RpcRequest', {
    id: UUID,
    tenantId: idSchema('TENANT'),
    deviceId: idSchema('DEVICE'),
    oneway: FLAG,
    expirationTime: EPOCH_MILLIS,
    body: exactly('RpcRequestBody', { method: TEXT, params: TEXT }),
    persisted: FLAG,
    retries: nullable(WHOLE),
    additionalInfo: nullable(TEXT),
  }),
  response: ANY,
  status: oneOf('QUEUED', 'SENT', 'DELIVERED', 'SUCCESSFUL', 'TIMEOUT', 'FAILED', 'EXPIRED'),
  additionalInfo: ANY,
});

/** Server contract 6.3. `response` and `additionalInfo` are JSON with their own number texts, so this is text. */
export function rpcJson(rpc: Rpc): string {
  const tenantId = entityId('TENANT', rpc.tenantId);
  const deviceId = entityId('DEVICE', rpc.deviceId);
  const head = {
    id: entityId('RPC', rpc.id),
    createdTime: rpc.createdTime,
    tenantId,
    deviceId,
    expirationTime: rpc.expirationTime,
    request: {
      id: rpc.id,
      tenantId,
      deviceId,
      oneway: rpc.oneway,
      expirationTime: rpc.expirationTime,
      body: { method: rpc.method, params: rpc.params },
      persisted: rpc.persistent,
      retries: rpc.retries,
      additionalInfo: rpc.additionalInfo,
    },
  };
  const members = [
    JSON.stringify(head).slice(1, -1),
    `"response":${responseJson(rpc)}`,
    `"status":${JSON.stringify(rpc.status)}`,
    `"additionalInfo":${rpc.additionalInfo ?? 'null'}`,
  ];
  return `{${members.join(',')}}`;
}

/** A FAILED command's response is the gateway's own JSON; what a device sent that is no JSON is told as a string. */
function responseJson({ response, responseIsJson, status }: Rpc): string {
  if (response === null || response === '') return 'null';
  return responseIsJson || status === 'FAILED' ? response : JSON.stringify(response);
}
