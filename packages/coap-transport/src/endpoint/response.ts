import type { ErrorRow, TandemError } from '@tandem/core';
import type { BodySource } from './block2-source';
import type { ObservationSource } from './observation';

/** What a handler answers. */
export interface CoapResponse {
  /** Dotted: `'2.05'`. */
  readonly code: string;
  /** A string is sent as UTF-8. */
  readonly payload?: Buffer | string;
  /** In place of a payload, to a GET: a body of which only what is asked for is read. Needs an ETag; has no observation. */
  readonly source?: BodySource;
  readonly contentFormat?: number;
  /** Seconds (RFC 7252 section 5.10.5). */
  readonly maxAge?: number;
  /** With 4.13: bytes that a body may have (RFC 7959 section 4). */
  readonly size1?: number;
  /** 1 to 8 bytes. A body of more than one block gets one out of its content when it has none. */
  readonly etag?: Buffer;
  /**
   * Accepts the registration that a GET with Observe 0 asks for; with a code of class 2. Without it the response
   * carries no Observe option, and the client knows that it does not observe.
   */
  readonly observation?: ObservationSource;
  /** With 4.01: an Echo option goes along, with which the peer can prove its address (RFC 9175 section 2.3). */
  readonly challenge?: true;
  /** Of the endpoint: which block of a source the payload is, as it stands in the options. */
  readonly cut?: { readonly block2?: number; readonly size2?: number };
}

/** For a request with valid credentials that is not served before `CoapRequest.proved`. Nothing has been done for it. */
export const PROVE_ADDRESS: CoapResponse = { code: '4.01', challenge: true };

export const EMPTY = Buffer.alloc(0);

export function payloadBytes(payload: Buffer | string | undefined): Buffer {
  if (payload === undefined) return EMPTY;
  return typeof payload === 'string' ? Buffer.from(payload, 'utf8') : payload;
}

/**
 * An error as a response: its row's code, Max-Age where a retry makes sense, and never a word about the cause. A fault of the
 * gateway has its correlation id as a diagnostic payload (RFC 7252 section 5.5.2), nothing else has a payload.
 */
export function errorResponse(error: TandemError): CoapResponse {
  // The row is widened: `retryable` is a literal in the table.
  const row: ErrorRow = error.row;
  if (error.correlationId !== undefined) return { code: row.coap, payload: error.correlationId };
  if (error.limit !== undefined) return { code: row.coap, size1: error.limit };
  if (!row.retryable || error.retryAfter === undefined) return { code: row.coap };
  return { code: row.coap, maxAge: Math.max(1, Math.ceil(error.retryAfter / 1000)) };
}
