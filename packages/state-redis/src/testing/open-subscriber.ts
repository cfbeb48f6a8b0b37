import type { RedisAddress } from '@tandem/core';
import { Redis } from 'ioredis';
import { serverOptions } from '../client/connection-options';

/** A bare connection that listens to channels of one server, to see what is published. */
export function openSubscriber({ address }: { readonly address: RedisAddress }): Redis {
  const subscriber = new Redis({ ...serverOptions(address), maxRetriesPerRequest: null, ...address.nodes[0] });
  subscriber.on('error', () => {});
  return subscriber;
}
