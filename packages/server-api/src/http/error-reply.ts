import type { EpochMillis, TandemError } from '@tandem/core';
import type { Reply } from '../routing/reply';

/** The error body of server contract 1.2: exactly these four members. */
export const errorReply = ({ row, message }: TandemError, now: EpochMillis): Reply => ({
  status: row.http,
  contentType: 'application/json',
  body: JSON.stringify({ status: row.http, message, errorCode: row.errorCode, timestamp: now }),
});
