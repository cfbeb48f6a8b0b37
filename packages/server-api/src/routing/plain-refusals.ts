import { TandemError } from '@tandem/core';
import { plainText, type Reply } from './reply';

/** Statuses that the telemetry and RPC controllers tell as bare text (server contract 1.2). */
const TOLD_AS_TEXT: readonly number[] = [400, 403, 404];

/** The step's answer; a refusal within it becomes its message as bare text instead of the JSON error body. */
export async function withPlainRefusals(step: () => Promise<Reply>): Promise<Reply> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof TandemError && TOLD_AS_TEXT.includes(error.row.http)) {
      return plainText(error.row.http, error.message);
    }
    throw error;
  }
}
