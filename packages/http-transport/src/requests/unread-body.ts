import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock, Millis } from '@tandem/core';
import type { Framing } from './framing';

/** Bodies up to this size are read and thrown away, so that the connection can go on. */
const DISCARDED_BYTES = 65_536;
/** How much, and how long, is still read from a client that goes on sending after its answer. */
const LINGER_BYTES = 1_048_576;
const LINGER_TIME: Millis = 1_000;

/**
 * Whether node:http may throw the rest of the body away after the answer and keep the connection. Not with `Expect`:
 * a client that has its answer may leave the body out, and the next request would be taken for it.
 */
export function discardable(request: IncomingMessage, { chunked, length = 0 }: Framing): boolean {
  return !chunked && request.headers.expect === undefined && length <= DISCARDED_BYTES;
}

/**
 * Ends a connection whose client may still be sending. Closing it with unread bytes would make the kernel reset it, and
 * the client could lose the answer (RFC 9112 section 9.6): so the answer goes out first, and the response is ended, which
 * closes the connection, when the client is done or the limits are reached.
 * @param response headers and body written, `Connection: close`, not ended
 */
export function linger(request: IncomingMessage, response: ServerResponse, clock: Clock): void {
  let discarded = 0;
  const end = () => {
    timer.cancel();
    request.removeListener('data', discard);
    request.removeListener('end', end);
    response.removeListener('close', end);
    request.pause();
    response.end();
  };
  const discard = (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > LINGER_BYTES) end();
  };
  const timer = clock.setTimer(LINGER_TIME, end);
  response.on('close', end);
  request.on('end', end);
  request.on('data', discard);
  request.resume();
}
