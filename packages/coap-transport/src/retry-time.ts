import { type Millis, TandemError } from '@tandem/core';

/** Where the cause knows no better. */
const DEFAULT_RETRY: Millis = 5_000;

/** The endpoint answers with the row of what is thrown. */
export function refuse(error: unknown): never {
  throw withRetryTime(error);
}

/** An answer 4.29 or 5.03 always says when to come again: without Max-Age a client waits for 60 s (contract 2.4). */
function withRetryTime(error: unknown): unknown {
  if (!(error instanceof TandemError) || error.retryAfter !== undefined) return error;
  const { coap } = error.row;
  if (coap !== '5.03' && coap !== '4.29') return error;
  return new TandemError(error.code, { message: error.message, retryAfter: DEFAULT_RETRY, cause: error });
}
