import type { Uuid } from '@tandem/core';
import type { Keys } from '../keys';

/** The keys of one device's commands, all in its slot; who deletes the device deletes `all` of them. */
export function rpcKeys(keys: Keys, deviceId: Uuid) {
  const hashes = keys.device(deviceId, 'rpc:');
  return {
    /** Also says whether the device is there, and counts its commands. */
    log: keys.device(deviceId, 'log'),
    /** What the keys of the commands' hashes begin with. */
    hashes,
    hash: (id: Uuid) => hashes + id,
    /** Ids by request id. */
    all: keys.device(deviceId, 'rpcs'),
    /** Ids of those in an open state, by the time they leave it: their expiration, or sooner where they are final. */
    open: keys.device(deviceId, 'rpcs-open'),
    /** Ids of those that are neither final nor lapsed, by expiration: what TANDEM_RPC_MAX_PENDING counts. */
    pending: keys.device(deviceId, 'rpcs-pending'),
    /** Ids of the persistent ones, by creation. */
    kept: keys.device(deviceId, 'rpcs-kept'),
    /** Ids of the persistent ones that are final, by request id: what TANDEM_RPC_FINISHED_MAX counts. */
    finished: keys.device(deviceId, 'rpcs-finished'),
    channel: keys.wakeChannel(deviceId),
  };
}
