import type { Authority } from '@tandem/core';
import type { Principal } from '../auth/principal';
import type { BodyReader } from '../http/body-reader';
import type { FilePart, FileReader } from '../http/multipart';
import type { Query } from '../http/query';
import type { Answer } from './answer';
import type { QueryParameter } from './query-parameters';
import type { Reply } from './reply';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export interface PublicRequest {
  /** Path parameters, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  /** Where the caller is, in a form of which nobody has many. */
  address(): string;
  /** Scheme and host by which the caller reached this gateway. */
  origin(): string;
  /** Aborted when the caller's connection is gone, or with a TandemError as reason when the server API closes. */
  readonly signal: AbortSignal;
  /**
   * The body, read at the first call.
   * @param reader the one that the route names
   * @throws TandemError PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, and what the reader throws
   */
  body<T>(reader: BodyReader<T>): Promise<T>;
  /**
   * The file that the body brings, while it comes in.
   * @param reader the one that the route names
   * @throws TandemError PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, BAD_REQUEST, and what `take` throws
   */
  file<T>(reader: FileReader, take: (file: FilePart) => Promise<T>): Promise<T>;
  /** One header of the request. @param name in lower case */
  header(name: string): string | undefined;
}

export interface ApiRequest extends PublicRequest {
  readonly caller: Principal;
}

interface RouteBase {
  readonly method: Method;
  /** With parameters in braces, as in OpenAPI: `/api/device/{deviceId}`. */
  readonly path: string;
  /** Under which heading it is described: given with the groups of the table. */
  readonly tag?: string;
  /** What the call does, in a few words. */
  readonly summary: string;
  /** Parameters of the query: a handler can read no others. */
  readonly query?: readonly QueryParameter[];
  /** The body: a handler can read it no other way. */
  readonly body?: BodyReader<unknown> | FileReader;
  /** What a success looks like; tests hold every answer to it. */
  readonly answer: Answer;
}

/** Open to strangers. */
export interface PublicRoute extends RouteBase {
  readonly authorities: 'public';
  handle(request: PublicRequest): Promise<Reply>;
}

export interface GuardedRoute extends RouteBase {
  readonly authorities: readonly Authority[];
  /** How a caller of another authority is refused: the telemetry and RPC controllers use bare text (contract 1.2). */
  readonly refusal: 'json' | 'text';
  /** Also for who is logged in by the id of a public customer alone, which is anybody: such a caller gets nothing else. */
  readonly publicToo?: true;
  handle(request: ApiRequest): Promise<Reply>;
}

/** One row of the route table: what is mounted, tested for its authorities, and described. */
export type Route = PublicRoute | GuardedRoute;

export const SYSTEM_ONLY: readonly Authority[] = ['SYS_ADMIN'];
export const ADMINISTRATORS: readonly Authority[] = ['SYS_ADMIN', 'TENANT_ADMIN'];
export const TENANT_ONLY: readonly Authority[] = ['TENANT_ADMIN'];
export const CUSTOMER_ONLY: readonly Authority[] = ['CUSTOMER_USER'];
export const TENANT_AND_CUSTOMER: readonly Authority[] = ['TENANT_ADMIN', 'CUSTOMER_USER'];
export const EVERYONE: readonly Authority[] = ['SYS_ADMIN', 'TENANT_ADMIN', 'CUSTOMER_USER'];
