import type { LabelValue } from '@tandem/core';

/** What a request asks for. The names are those of the metrics and of log lines. */
export type OperationName = LabelValue<'tandem_http_received_requests_total', 'operation'>;

export interface Operation {
  readonly name: OperationName;
  /** Whether there is a body (contract 1.2). */
  readonly body: 'none' | 'optional' | 'required';
}

type Methods = Readonly<Partial<Record<string, Operation>>>;

export interface Resource {
  readonly methods: Methods;
  /** The value of `Allow`. */
  readonly allow: string;
}

const read = (name: OperationName): Operation => ({ name, body: 'none' });
const write = (name: OperationName): Operation => ({ name, body: 'required' });
const resource = (methods: Methods): Resource => ({ methods, allow: Object.keys(methods).join(', ') });

const ATTRIBUTES_READ = read('attributes_read');
const download = (name: 'firmware' | 'software'): Resource => resource({ GET: read(name), HEAD: read(name) });
const RPC_REPLY = resource({ POST: write('rpc_reply') });

/** Contract 1.2, by what follows the token. HEAD is for what can be read twice: a poll takes an event away. */
const RESOURCES: ReadonlyMap<string, Resource> = new Map([
  ['telemetry', resource({ POST: write('telemetry') })],
  ['attributes', resource({ GET: ATTRIBUTES_READ, HEAD: ATTRIBUTES_READ, POST: write('attributes_write') })],
  ['attributes/updates', resource({ GET: read('attributes_poll') })],
  ['firmware', download('firmware')],
  ['software', download('software')],
  ['rpc', resource({ GET: read('rpc_poll'), POST: write('client_rpc') })],
  ['claim', resource({ POST: { name: 'claim', body: 'optional' } })],
]);

/** The one resource that belongs to no device: it is there without a token, and only so. */
const PROVISION = resource({ POST: write('provision') });

export const isProvision = ({ resource }: Route): boolean => resource === PROVISION;

export interface Route {
  /** Undefined for an unknown path. */
  readonly resource: Resource | undefined;
  /** The token as it stands in the path, still percent-encoded; undefined where the path has none. */
  readonly token: string | undefined;
  /** What follows the token, without its percent-encoding. */
  readonly rest: string;
  /** Without the question mark. */
  readonly query: string;
}

const BASE = '/api/v1/';

/**
 * `/api/v1/{token}/{resource}`, or `/api/v1/{resource}` with the token in a header (design section 9). Undefined for a
 * path outside of `/api/v1`. By hand, because it runs for every message.
 * @param target of the request: a path with an optional query, or an absolute URL as proxies send it
 */
export function routeOf(target: string): Route | undefined {
  const url = target.startsWith('/') ? target : withoutOrigin(target);
  const queryAt = url.indexOf('?');
  const end = queryAt < 0 ? url.length : queryAt;
  const query = queryAt < 0 ? '' : url.slice(queryAt + 1);
  if (!url.startsWith(BASE)) {
    return url.slice(0, end) === '/api/v1' ? { resource: undefined, token: undefined, rest: '', query } : undefined;
  }
  const tokenEnd = url.indexOf('/', BASE.length);
  if (tokenEnd >= 0 && tokenEnd < end) {
    const rest = decoded(url.slice(tokenEnd + 1, end));
    const found = resourceOf(rest);
    if (found) return { resource: found, token: url.slice(BASE.length, tokenEnd), rest, query };
  }
  const rest = decoded(url.slice(BASE.length, end));
  const found = rest === 'provision' ? PROVISION : resourceOf(rest);
  if (found || tokenEnd < 0 || tokenEnd >= end) return { resource: found, token: undefined, rest, query };
  return {
    resource: undefined,
    token: url.slice(BASE.length, tokenEnd),
    rest: decoded(url.slice(tokenEnd + 1, end)),
    query,
  };
}

/** Segments mean the same however they are written (RFC 3986 section 6.2.2.2); what is none when it is decoded stays as it is. */
function decoded(path: string): string {
  if (!path.includes('%')) return path;
  return path
    .split('/')
    .map((segment) => {
      try {
        const text = decodeURIComponent(segment);
        return text.includes('/') ? segment : text;
      } catch {
        return segment;
      }
    })
    .join('/');
}

/** RFC 9112 section 3.2.2. */
function withoutOrigin(target: string): string {
  const pathAt = target.indexOf('/', target.indexOf('://') + 3);
  return pathAt < 0 ? target : target.slice(pathAt);
}

function resourceOf(rest: string): Resource | undefined {
  const found = RESOURCES.get(rest);
  if (found) return found;
  return rest.startsWith('rpc/') && rest.length > 4 && !rest.includes('/', 4) ? RPC_REPLY : undefined;
}

/**
 * The path that payload limits are looked up by, without its percent-encoding, which would get around them. One that has its
 * token in a header is also what it would be with the token in it: patterns are written for either.
 */
export function limitedPaths({ resource, token, rest }: Route, bearer: () => string): string[] {
  if (token !== undefined) return [withToken(plain(token), rest)];
  return !resource || resource === PROVISION ? [BASE + rest] : [BASE + rest, withToken(bearer(), rest)];
}

/** One segment, whatever is in the token. */
const withToken = (token: string, rest: string): string => `${BASE}${token.replaceAll('/', '%2F')}/${rest}`;

/** What is no percent-encoding stays as it is, and is refused later. */
function plain(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
