import { type DeviceSession, RunningSpan, TandemError } from '@tandem/core';
import type { FeaturePath } from './device-path';
import type { CoapRequest, CoapResponse } from './endpoint/index';
import { sourceAddress } from './source-address';

/**
 * Answers a request whose credentials are known to be valid within a span: strangers leave none. The names are those of HTTP, so
 * that both doors are found together.
 */
export function inRequestSpan(
  { deviceId }: DeviceSession,
  path: FeaturePath,
  request: CoapRequest,
  answer: () => CoapResponse | Promise<CoapResponse>,
): CoapResponse | Promise<CoapResponse> {
  const { method, peer } = request;
  const route = routeOf(path);
  const span = new RunningSpan({
    name: `${method} ${route}`,
    kind: 'SERVER',
    parent: undefined,
    attributes: {
      'coap.request.method': method,
      'http.route': route,
      'url.scheme': peer.session === undefined ? 'coap' : 'coaps',
      'network.protocol.name': 'coap',
      'network.transport': 'udp',
      'client.address': sourceAddress(peer),
      'tandem.device.id': deviceId,
    },
  });
  const answered = (response: CoapResponse): CoapResponse => {
    end(span, response.code);
    return response;
  };
  const refused = (error: unknown): never => {
    end(span, TandemError.from(error).row.coap);
    throw error;
  };
  try {
    const response = span.run(answer);
    return response instanceof Promise ? response.then(answered, refused) : answered(response);
  } catch (error) {
    return refused(error);
  }
}

function end(span: RunningSpan, code: string): void {
  span.set('coap.response.code', code);
  span.end(code.startsWith('5') ? code : undefined);
}

function routeOf({ feature, token, requestId }: FeaturePath): string {
  return `/api/v1/${token === undefined ? '' : '{token}/'}${feature}${requestId === undefined ? '' : '/{requestId}'}`;
}
