import { randomBytes } from 'node:crypto';
import type { Millis } from './platform/clock';
import type { Faults } from './platform/faults';
import type { LogFields } from './platform/logger';

export interface ErrorRow {
  /** HTTP status. */
  readonly http: number;
  /** CoAP code in dotted form (RFC 7252 section 5.9). */
  readonly coap: string;
  /** ThingsBoard's `errorCode` (server contract 1.2). */
  readonly errorCode: number;
  /** Whether the same request can succeed later without being changed. */
  readonly retryable: boolean;
  /** What is said to the caller where the situation has no words of its own. */
  readonly sentence: string;
}

/** Every failure is a row here; `docs/reference/errors.md` is generated from this table. */
export const ERRORS = {
  BAD_PAYLOAD: row(400, '4.00', 31, false, 'The payload is not what this resource takes'),
  BAD_REQUEST: row(400, '4.00', 31, false, 'A parameter of the request is missing or malformed'),
  INVALID_ARGUMENTS: row(400, '4.00', 30, false, 'The request asks for something that cannot be done'),
  BODY_REQUIRED: row(400, '4.00', 31, false, 'Required request body is missing'),
  MALFORMED_REQUEST: row(400, '4.00', 31, false, 'The request is not HTTP as it should be'),
  UNAUTHORIZED: row(401, '4.01', 10, false, 'Authentication failed'),
  TOKEN_EXPIRED: row(401, '4.01', 11, false, 'Token has expired'),
  PASSWORD_VIOLATION: row(401, '4.01', 45, false, 'The password is not one that may be used'),
  PERMISSION_DENIED: row(403, '4.03', 20, false, "You don't have permission to perform this operation!"),
  DEVICE_DELETED: row(403, '4.03', 20, false, 'Device was deleted!'),
  UNDELIVERABLE: row(400, '4.00', 31, false, 'The payload format of the device has no way to say this'),
  NOT_FOUND: row(404, '4.04', 32, false, "Requested item wasn't found!"),
  NO_PACKAGE: row(404, '4.04', 32, false, 'The device has no package of this type to get, or only a URL'),
  OTHER_PACKAGE: row(400, '4.00', 31, false, 'The package the device has to get has another title or version'),
  METHOD_NOT_ALLOWED: row(405, '4.05', 31, false, 'Request method is not supported'),
  POLL_EXPIRED: row(408, '5.04', 2, true, 'Nothing happened within the time-out'),
  NO_REPLY: row(408, '5.04', 2, true, 'No reply within the time-out'),
  REQUEST_TIMEOUT: row(408, '4.08', 2, true, 'The request did not arrive in time'),
  VERSION_CONFLICT: row(409, '4.09', 35, false, 'The entity was changed by someone else in the meantime'),
  PAYLOAD_TOO_LARGE: row(413, '4.13', 31, false, 'Payload size exceeds the limit'),
  UNSUPPORTED_MEDIA_TYPE: row(415, '4.15', 31, false, 'The media type is not supported'),
  EXPECTATION_FAILED: row(417, '4.00', 31, false, 'The only expectation that can be met is 100-continue'),
  TOO_MANY_REQUESTS: row(429, '4.29', 33, true, 'Too many requests'),
  TOO_MANY_POINTS: row(429, '4.13', 33, false, 'The message has more data points than a limit ever allows'),
  HEADERS_TOO_LARGE: row(431, '4.00', 31, false, 'The path and the headers of the request are too large'),
  TRANSPORT_MISMATCH: row(403, '5.00', 20, false, "The device's profile does not allow this transport"),
  INTERNAL: row(500, '5.00', 2, true, 'Internal server error'),
  UNKNOWN_TRANSFER_CODING: row(501, '5.01', 31, false, 'Of transfer codings only chunked is known'),
  STORE_UNAVAILABLE: row(503, '5.03', 2, true, 'The store does not answer'),
  BACKLOG_FULL: row(503, '5.03', 2, true, 'The telemetry backlog has reached its limit'),
  SHUTTING_DOWN: row(503, '5.03', 2, true, 'The gateway is shutting down'),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

function row(http: number, coap: string, errorCode: number, retryable: boolean, sentence: string): ErrorRow {
  return { http, coap, errorCode, retryable, sentence };
}

export interface ErrorDetails {
  /** Said instead of the row's sentence. Never holds a secret: it goes to the caller. */
  readonly message?: string;
  /** When a retry makes sense: Retry-After (rounded up to seconds) and Max-Age. */
  readonly retryAfter?: Millis;
  /** Bytes that a body may have, where it had more: Size1 of a 4.13. */
  readonly limit?: number;
  readonly cause?: unknown;
}

/** Of faults that have no object of their own, such as a thrown string, nothing is remembered. */
const known = new WeakMap<object, TandemError>();

/**
 * The one error class of the domain: a code of the table, and what this case adds to it. A fault of the gateway (INTERNAL) has a
 * correlation id: its message ends with it, and {@link TandemError.logFault} writes it into the log.
 */
export class TandemError extends Error {
  override readonly name = 'TandemError';
  readonly retryAfter: Millis | undefined;
  readonly limit: number | undefined;
  #correlationId: string | undefined;
  #logged = false;

  constructor(
    readonly code: ErrorCode,
    details: ErrorDetails = {},
  ) {
    const correlationId = code === 'INTERNAL' ? randomBytes(6).toString('hex') : undefined;
    const sentence = details.message ?? ERRORS[code].sentence;
    super(
      correlationId === undefined ? sentence : `${sentence} (correlation id ${correlationId})`,
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.retryAfter = details.retryAfter;
    this.limit = details.limit;
    this.#correlationId = correlationId;
  }

  /** Of INTERNAL alone: 12 characters that mean nothing but this fault. To be told once it is logged. */
  get correlationId(): string | undefined {
    return this.#correlationId;
  }

  get row(): ErrorRow {
    return ERRORS[this.code];
  }

  /**
   * Anything thrown as a row: what is not ours is a fault of the gateway. The same thing thrown again, as by a batch that fails
   * for all who wait for it, is the same fault.
   */
  static from(error: unknown): TandemError {
    if (error instanceof TandemError) return error;
    if (typeof error !== 'object' || error === null) return new TandemError('INTERNAL', { cause: error });
    const fault = known.get(error) ?? new TandemError('INTERNAL', { cause: error });
    known.set(error, fault);
    return fault;
  }

  /**
   * Writes a fault to the log with the id that its answers carry: once, however many answers there are. Every other error is its
   * caller's matter, and passed over. To be called before the answer is written: where there are more faults than lines, this
   * one gets the id of another.
   * @param fields never a secret
   */
  logFault(faults: Pick<Faults, 'write'>, message: string, fields: LogFields = {}): void {
    const own = this.#correlationId;
    if (own === undefined || this.#logged) return;
    this.#logged = true;
    const cause = this.cause ?? this;
    const error = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    const told = faults.write(message, own, error, fields);
    if (told === own) return;
    this.message = this.message.replace(own, told);
    this.#correlationId = told;
  }
}
