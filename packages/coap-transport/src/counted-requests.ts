import { type Core, RequestMetrics, type RequestOperation } from '@tandem/core';
import type { Feature } from './device-path';
import { type CoapRequest, dottedCode } from './endpoint/index';

/** What the requests of a door are counted by. */
export const countedRequests = ({ metrics }: Pick<Core, 'metrics'>, protocol: 'coap' | 'coaps'): RequestMetrics =>
  new RequestMetrics(metrics, protocol, dottedCode);

/** By the names that HTTP has for the same. */
export function operationOf(feature: Feature, requestId: number | undefined, request: CoapRequest): RequestOperation {
  switch (feature) {
    case 'attributes':
      if (request.method !== 'GET') return 'attributes_write';
      return request.observe === 0 ? 'attributes_observe' : 'attributes_read';
    case 'rpc':
      if (request.method === 'GET') return 'rpc_observe';
      return requestId === undefined ? 'client_rpc' : 'rpc_reply';
    default:
      return feature;
  }
}
