import { TandemError } from '@tandem/core';

/** What a log line says of a failure. */
export function failureText(error: unknown): string {
  // Nothing that a stack could help with.
  if (error instanceof TandemError && error.code === 'STORE_UNAVAILABLE') return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
