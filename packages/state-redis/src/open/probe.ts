import type { Millis, RedisAddress } from '@tandem/core';
import { Redis } from 'ioredis';
import { serverOptions } from '../client/connection-options';

export interface Node {
  readonly host: string;
  readonly port: number;
}

export interface ProbeSettings {
  readonly address: RedisAddress;
  readonly timeout: Millis;
  readonly signal?: AbortSignal;
}

/** Sends one command. @throws Error with what Redis answered, or with what happened to the connection */
export type Call = (command: string, ...args: string[]) => Promise<unknown>;

export const nameOf = ({ host, port }: Node): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** Looks at one server over a connection of its own, which is closed afterwards; one attempt. */
export async function probe<T>(settings: ProbeSettings, node: Node, look: (call: Call) => Promise<T>): Promise<T> {
  const { address, timeout, signal } = settings;
  signal?.throwIfAborted();
  const redis = new Redis({
    ...serverOptions(address),
    ...node,
    // Logged in by hand: so a refusal is the answer to a command, and not an event among others.
    username: undefined,
    password: undefined,
    db: 0,
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: null,
    maxRetriesPerRequest: 0,
    commandTimeout: timeout,
  });
  let failure: Error | undefined;
  redis.on('error', (error: Error) => {
    failure ??= error;
  });
  const cut = () => redis.disconnect();
  signal?.addEventListener('abort', cut, { once: true });
  try {
    await redis.connect();
    const call: Call = (command, ...args) => redis.call(command, ...args);
    await logIn(call, address);
    return await look(call);
  } catch (error) {
    signal?.throwIfAborted();
    // A connection that broke says why in its event only.
    throw isClosed(error) ? (failure ?? error) : error;
  } finally {
    signal?.removeEventListener('abort', cut);
    redis.disconnect();
  }
}

async function logIn(call: Call, { username, password }: RedisAddress): Promise<void> {
  if (password === undefined && username === undefined) return;
  await call('AUTH', ...(username === undefined ? [] : [username]), password ?? '');
}

const isClosed = (error: unknown): boolean =>
  error instanceof Error && /Connection is closed|max retries per request|Command aborted/.test(error.message);
