import type { IncomingMessage, ServerResponse } from 'node:http';

/** How long a browser may remember what a preflight said. */
const MAX_AGE_SECONDS = 1_800;

/**
 * Pages of every origin may call the API (server contract 1, as the device API does): credentials stand in headers that a page has
 * to know, and never in what a browser sends by itself. So no origin is ever named together with credentials.
 */
export function allowOrigin({ headers }: IncomingMessage, response: ServerResponse): void {
  if (headers.origin === undefined) return;
  response.setHeader('Access-Control-Allow-Origin', '*');
  response.setHeader('Access-Control-Expose-Headers', '*');
}

/** @returns whether the request was a browser's question, which is answered now: before any credentials, of which it has none */
export function answerPreflight({ method, headers }: IncomingMessage, response: ServerResponse): boolean {
  const asked = headers['access-control-request-method'];
  if (method !== 'OPTIONS' || asked === undefined) return false;
  const names = headers['access-control-request-headers'];
  response.statusCode = 204;
  response.setHeader('Access-Control-Allow-Methods', asked);
  // A wildcard would not cover `Authorization`.
  if (names !== undefined) response.setHeader('Access-Control-Allow-Headers', names);
  response.setHeader('Access-Control-Max-Age', MAX_AGE_SECONDS);
  response.end();
  return true;
}
