import type { Millis, RedisAddress } from '@tandem/core';
import type { ClusterOptions, RedisOptions } from 'ioredis';

/** Longest pause between two attempts to connect. */
const MAX_PAUSE: Millis = 500;
/** How long an attempt to connect may take. */
const CONNECT_TIMEOUT: Millis = 2_000;
/** A connection that is not wanted any more is cut after this, whether or not the other side takes note of it. */
const DISCONNECT_TIMEOUT: Millis = 200;

const pause = (attempt: number): Millis => Math.min(20 * 2 ** Math.min(attempt, 10), MAX_PAUSE);

/** What every connection has in common: where Redis is, who we are, and that it is tried again for ever. */
export function serverOptions(address: RedisAddress): RedisOptions {
  return {
    username: address.username,
    password: address.password,
    db: address.database,
    tls: address.tls ? {} : undefined,
    // RESP2 is what every Redis from 7.0 on and every proxy before one speaks alike.
    protocol: 2,
    connectTimeout: CONNECT_TIMEOUT,
    disconnectTimeout: DISCONNECT_TIMEOUT,
    keepAlive: 10_000,
    retryStrategy: pause,
    disableClientInfo: true,
  };
}

/**
 * Commands: answered, or failed, within `timeout`. One attempt per reconnection, so that a Redis that is away costs
 * callers a refusal and not a growing queue.
 */
export const commandOptions = (address: RedisAddress, timeout: Millis): RedisOptions => ({
  ...serverOptions(address),
  maxRetriesPerRequest: 1,
  commandTimeout: timeout,
  // A connection whose other end is gone without a word is replaced, and what was written to it is not kept.
  socketTimeout: timeout,
});

/** Between two reconnections because a server takes no writes. */
const DEMOTED_PAUSE: Millis = 1_000;

/** A name can move from a master that was demoted to the one that took its place: only a new connection finds that. */
export function reconnectWhenDemoted(): (error: Error) => boolean {
  let last = Number.NEGATIVE_INFINITY;
  return (error) => {
    if (!error.message.startsWith('READONLY') || performance.now() - last < DEMOTED_PAUSE) return false;
    last = performance.now();
    return true;
  };
}

/**
 * A master's death: with the defaults hundreds of commands fail, with these none that have time for it (design section 4).
 */
export const clusterOptions = (redisOptions: RedisOptions): ClusterOptions => ({
  redisOptions,
  maxRedirections: 64,
  retryDelayOnFailover: 150,
  retryDelayOnClusterDown: 150,
  retryDelayOnMoved: 50,
  slotsRefreshInterval: 2_000,
  slotsRefreshTimeout: CONNECT_TIMEOUT,
  clusterRetryStrategy: pause,
  // Nodes tell addresses, and certificates name hosts: what is told is used as it is.
  dnsLookup: (host, callback) => callback(null, host),
});
