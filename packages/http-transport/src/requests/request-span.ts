import { type Callers, type DeviceSession, RunningSpan } from '@tandem/core';
import type { Operation, OperationName, Route } from '../routes';
import type { Exchange } from './exchange';

interface Call {
  readonly exchange: Exchange;
  readonly operation: Operation;
  readonly route: Route;
}

/** What stands behind the token: of what came nothing is named. */
const PATHS: Readonly<Record<OperationName, string>> = {
  attributes_read: 'attributes',
  attributes_write: 'attributes',
  telemetry: 'telemetry',
  rpc_poll: 'rpc',
  rpc_reply: 'rpc/{requestId}',
  client_rpc: 'rpc',
  attributes_poll: 'attributes/updates',
  claim: 'claim',
  provision: 'provision',
  firmware: 'firmware',
  software: 'software',
};

/**
 * The span of a request whose credentials are known to be valid: strangers leave none. It ends with the answer. A `traceparent` of the
 * device is linked and no parent: whether something is sampled is not up to devices.
 */
export function requestSpan(
  { exchange, operation, route }: Call,
  { deviceId }: DeviceSession,
  callers: Callers,
): RunningSpan {
  const { request, response } = exchange;
  const { method = '' } = request;
  const path = `/api/v1/${route.token === undefined ? '' : '{token}/'}${PATHS[operation.name]}`;
  const { traceparent } = request.headers;
  const span = new RunningSpan({
    name: `${method} ${path}`,
    kind: 'SERVER',
    parent: undefined,
    links: typeof traceparent === 'string' ? [traceparent] : [],
    attributes: {
      'http.request.method': method,
      'http.route': path,
      'url.scheme': 'encrypted' in request.socket ? 'https' : 'http',
      'network.protocol.name': 'http',
      'client.address': exchange.callerAddress(callers),
      'tandem.device.id': deviceId,
    },
  });
  response.once('close', () => {
    const { headersSent, statusCode } = response;
    if (headersSent) span.set('http.response.status_code', statusCode);
    // A poll whose client went away has not failed.
    span.end(headersSent && statusCode >= 500 ? String(statusCode) : undefined);
  });
  return span;
}
