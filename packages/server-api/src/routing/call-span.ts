import { RunningSpan } from '@tandem/core';
import type { Request, Response } from 'express';
import type { Route } from './route';

/**
 * The span of a call of somebody who is known, which goes on in the caller's trace and ends with the answer. To be made for nobody else:
 * strangers leave none, and do not say what is sampled.
 */
export function callSpan(
  { method, path }: Pick<Route, 'method' | 'path'>,
  request: Request,
  response: Response,
  address: string,
): RunningSpan {
  const { traceparent } = request.headers;
  const span = new RunningSpan({
    name: `${method} ${path}`,
    kind: 'SERVER',
    parent: typeof traceparent === 'string' ? traceparent : undefined,
    attributes: {
      'http.request.method': method,
      'http.route': path,
      'url.scheme': 'encrypted' in request.socket ? 'https' : 'http',
      'network.protocol.name': 'http',
      'client.address': address,
    },
  });
  response.once('close', () => {
    const { headersSent, statusCode } = response;
    if (headersSent) span.set('http.response.status_code', statusCode);
    // A caller who went away is no failure.
    span.end(headersSent && statusCode >= 500 ? String(statusCode) : undefined);
  });
  return span;
}
