import type { ProtoField, ProtoMessage, ScalarName } from './schema';

/** Messages that are the same for all profiles and that devices send (device contract 4.5, `proto/transportapi.proto`). */
export const CLAIM_DEVICE = fixed('ClaimDevice', { secretKey: [1, 'string'], durationMs: [2, 'int64'] });

export const RPC_REQUEST = fixed('RpcRequest', { method: [1, 'string'], params: [2, 'string'] });

function fixed(name: string, fields: Readonly<Record<string, readonly [number, ScalarName]>>): ProtoMessage {
  return {
    kind: 'message',
    name,
    fields: Object.entries(fields).map(
      ([field, [number, type]]): ProtoField => ({
        name: field,
        jsonName: field,
        number,
        type: { kind: 'scalar', name: type },
        repeated: false,
        hasPresence: false,
        optional: false,
        oneof: undefined,
      }),
    ),
  };
}
