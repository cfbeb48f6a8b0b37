import {
  type AttributesRequest,
  type DownloadRequest,
  downloadCut,
  int32Parameter,
  type Millis,
  malformedParameter,
  TandemError,
} from '@tandem/core';

/** @throws TandemError BAD_REQUEST unless the segment is a signed 32-bit integer (contract 1.4 step 4) */
export function requestIdOf(segment: string): number {
  return int32Parameter('requestId', decodeSegment(segment));
}

/** A path segment without its percent-encoding. @throws TandemError BAD_REQUEST where that is broken */
export function decodeSegment(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new TandemError('BAD_REQUEST', { message: 'The path is not percent-encoded UTF-8' });
  }
}

export interface PollTimeouts {
  /** For a poll that names none. */
  readonly default: Millis;
  readonly max: Millis;
}

/**
 * `timeout` of a poll: absent, empty or 0 is the server's own, a longer wish than the maximum is cut, a negative one
 * stays negative and means "at once" (contract 1.5.1). Any 64-bit integer is a number here, not only those that fit int32.
 * @throws TandemError BAD_REQUEST
 */
export function pollTimeout(query: string, timeouts: PollTimeouts): Millis {
  const text = query === '' ? '' : (new URLSearchParams(query).get('timeout') ?? '');
  if (text !== '' && !/^[+-]?\d{1,19}$/.test(text)) throw malformedParameter('timeout');
  return Math.min(Number(text) || timeouts.default, timeouts.max);
}

/**
 * `title`, `version`, `size` and `chunk` of a download (contract 7.3).
 * @throws TandemError BAD_REQUEST: title and version have to be there, the others have to be numbers
 */
export function downloadRequest(query: string): DownloadRequest {
  const parameters = new URLSearchParams(query);
  const required = (name: string): string => {
    const values = parameters.getAll(name);
    if (values.length === 0) {
      throw new TandemError('BAD_REQUEST', { message: `Required request parameter '${name}' is not present` });
    }
    return values.join(',');
  };
  const optional = (name: string): string => parameters.getAll(name).join(',');
  const cut = downloadCut(optional('size'), optional('chunk'));
  return { title: required('title'), version: required('version'), ...cut };
}

/** `clientKeys` and `sharedKeys` (contract 1.3.1). */
export function attributesRequest(query: string): AttributesRequest {
  if (query === '') return {};
  const parameters = new URLSearchParams(query);
  return {
    clientKeys: keyList(parameters.getAll('clientKeys')),
    sharedKeys: keyList(parameters.getAll('sharedKeys')),
  };
}

/**
 * Names are not trimmed; empty ones at the end are dropped, others kept. A list of no names counts as absent: it reads
 * nothing beside another list, and "all" when it stands alone.
 */
function keyList(values: readonly string[]): readonly string[] | undefined {
  const names = values.join(',').split(',');
  while (names.at(-1) === '') names.pop();
  return names.length === 0 ? undefined : [...new Set(names)];
}

/**
 * The token of `Authorization: Bearer <token>`, for paths without one. `X-Authorization` carries the JWT of a REST
 * client and is none of ours (design section 9).
 */
export function bearerToken(authorization: string | undefined): string {
  return /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? '';
}
