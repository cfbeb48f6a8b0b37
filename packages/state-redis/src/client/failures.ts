import { type Logger, TandemError } from '@tandem/core';
import { isMisrouted } from './misrouted';

const RETRY_AFTER = 1_000;
/** Memory is not made free within a second. */
const RETRY_AFTER_OOM = 5_000;

/** What Redis answers while it cannot serve, but will. */
const PASSING = /^(LOADING|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|READONLY|TRYAGAIN|MOVED|ASK|BUSY|MISCONF|UNKILLABLE)\b/;
/**
 * What ioredis says where it has no answer. The last one is of its auto-pipelining, on a Cluster in which a slot has no node
 * for the moment.
 */
const CONNECTION =
  /Connection is closed|Command timed out|max retries per request|Stream isn't writeable|Too many Cluster redirections|Failed to refresh slots|None of startup nodes|Cluster is (ended|disconnect)|Command aborted|Cluster isn't ready|reading 'join'|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT/i;
const REFUSED = /^(NOAUTH|WRONGPASS|NOPERM)\b/;

/** In ioredis' words it is about its options. */
const UNREACHABLE = /max retries per request/i;

export const closedError = (): TandemError => new TandemError('STORE_UNAVAILABLE', { message: 'The store is closed' });

/** Whether nobody knows if the command was carried out. */
const isUnanswered = (error: unknown): boolean => error instanceof Error && CONNECTION.test(error.message);

/** Whether the same command may succeed in a moment. */
export const isPassing = (error: unknown): boolean =>
  isUnanswered(error) || isMisrouted(error) || (error instanceof Error && PASSING.test(error.message));

/** What a command was, for the log: its arguments are nobody's business. */
export interface About {
  readonly script: string;
  readonly keys: readonly string[];
}

/** Keys of a script that a line names. */
const MAX_KEYS = 10;

/**
 * A failed command as a row of the error table. What is not a passing fault of Redis is written to the log.
 * @param fault what happened to the connection, where that is known
 */
export function storeFailure(error: unknown, logger: Logger, about?: About, fault?: string): TandemError {
  if (error instanceof TandemError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (message.startsWith('OOM')) {
    return new TandemError('STORE_UNAVAILABLE', {
      message: 'The store is out of memory',
      cause: error,
      retryAfter: RETRY_AFTER_OOM,
    });
  }
  if (isPassing(error)) {
    const told = UNREACHABLE.test(message) ? 'Redis cannot be reached' : message;
    const sentence = fault === undefined ? told : `${told} (${fault})`;
    const cause = sentence === message ? error : new Error(sentence, { cause: error });
    return new TandemError('STORE_UNAVAILABLE', { cause, retryAfter: RETRY_AFTER });
  }
  const fields = about && { script: about.script, keys: about.keys.slice(0, MAX_KEYS) };
  if (REFUSED.test(message)) {
    logger.error('Redis refuses this process', { error: message, ...fields });
    return new TandemError('STORE_UNAVAILABLE', { cause: error, retryAfter: RETRY_AFTER_OOM });
  }
  if (message.startsWith('WRONGTYPE')) {
    logger.error('a key of another program is in the place of one of ours; nothing was overwritten', {
      error: message,
      ...fields,
    });
    return new TandemError('INTERNAL', { message: 'The store holds something else there', cause: error });
  }
  logger.error('Redis refused a command', { error: message, ...fields });
  return new TandemError('INTERNAL', { cause: error });
}
