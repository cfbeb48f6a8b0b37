import type { Logger, Millis, RedisAddress } from '@tandem/core';
import { Cluster, Redis } from 'ioredis';
import { clusterOptions, commandOptions, reconnectWhenDemoted, type serverOptions } from './connection-options';
import { makeStringsFastAgain } from './fast-strings';
import { forgetCommands, forgetLateCommands } from './late-commands';

makeStringsFastAgain();

/** A Cluster whose nodes hang ends when it has given up asking them, and nothing is left to wait for until then. */
const LONGEST_END: Millis = 500;

/** Enough of `RedisOptions` to open connections: also a worker thread gets it. */
export interface ConnectionSettings {
  readonly address: RedisAddress;
  readonly cluster: boolean;
  readonly timeout: Millis;
}

/** For reads and writes. Connects by itself, for as long as it takes; the failures of commands tell when it is away. */
export function openClient({ address, cluster, timeout }: ConnectionSettings, logger: Logger): Redis | Cluster {
  const options = { ...commandOptions(address, timeout), enableAutoPipelining: true };
  const client = cluster
    ? openCluster(address, options, true)
    : new Redis({ ...options, ...address.nodes[0], reconnectOnError: reconnectWhenDemoted() });
  forgetLateCommands(client, timeout);
  return watched(client, logger);
}

/** Why a client is not connected; nothing where it is. */
const faults = new WeakMap<Redis | Cluster, string>();

/** What happened to the last attempt to connect, where it failed: `connect ECONNREFUSED 127.0.0.1:6379`. */
export const connectionFault = (client: Redis | Cluster): string | undefined => faults.get(client);

function openCluster(
  { nodes }: RedisAddress,
  redisOptions: ReturnType<typeof serverOptions>,
  enableAutoPipelining: boolean,
): Cluster {
  return new Cluster([...nodes], { ...clusterOptions(redisOptions), enableAutoPipelining });
}

/** An `error` event nobody listens to would end the process. What matters is told by the commands that fail. */
function watched(client: Redis | Cluster, logger: Logger): Redis | Cluster {
  client.on('node error', (error: Error, node: string) => {
    faults.set(client, error.message.includes(node) ? error.message : `${node}: ${error.message}`);
  });
  client.on('ready', () => faults.delete(client));
  client.on('error', (error: Error) => {
    // That of a whole Cluster says only that no node answers: the nodes have said why.
    if (client instanceof Redis) faults.set(client, error.message);
    if (logger.debugEnabled) logger.debug('Redis connection', { error: error.message });
  });
  return client;
}

/** Ends a connection whatever its state; resolves when it is closed, as far as Redis lets it be. */
export async function closeClient(client: Redis | Cluster): Promise<void> {
  if (client.status === 'end') return forgetCommands(client);
  // Between two attempts to connect there is no connection, and nobody tells of its end.
  const ended = client.status === 'reconnecting' ? Promise.resolve() : endOf(client);
  if (client instanceof Cluster) lookNoMore(client);
  client.disconnect();
  forgetCommands(client);
  await ended;
}

/**
 * ioredis would go on for ever where it is closed while it looks which node serves what: each look sets the timer of the
 * next.
 */
function lookNoMore(client: Cluster): void {
  client.refreshSlotsCache = () => {};
  // The timer that a look under way sets yet is over at once.
  client.options.slotsRefreshInterval = 1;
}

function endOf(client: Redis | Cluster): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(resolve, LONGEST_END);
    client.once('end', () => {
      clearTimeout(late);
      resolve();
    });
  });
}
