import type { ClientRequest } from '@tandem/coap-transport';
import { CoapFailure } from '@tandem/coap-transport';
import { CONTENT_FORMAT_JSON, openClient } from '../device/coap-link';
import { NoAnswer } from '../device/device-link';
import type { Requester, Workload } from './workload';

/** One UDP port with one request outstanding, as NSTART of RFC 7252 has it. */
export async function coapRequester(
  url: URL,
  token: string,
  { method, path, query, body }: Workload,
): Promise<Requester> {
  const client = await openClient(url);
  const request: ClientRequest = {
    method,
    path: ['api', 'v1', token, ...path],
    query: Object.entries(query ?? {}).map(([name, value]) => `${name}=${value}`),
    ...(body === undefined ? {} : { payload: Buffer.from(body), contentFormat: CONTENT_FORMAT_JSON }),
  };
  return {
    send: async () => {
      try {
        return (await client.request(request)).code;
      } catch (error) {
        throw error instanceof CoapFailure ? new NoAnswer(error.message) : error;
      }
    },
    close: () => client.close(),
  };
}
