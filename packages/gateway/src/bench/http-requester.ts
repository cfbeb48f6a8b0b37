import { Agent, type RequestOptions, request } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import { NoAnswer } from '../device/device-link';
import type { Requester, Workload } from './workload';

/** One kept connection. */
export function httpRequester(url: URL, token: string, { method, path, query, body }: Workload): Requester {
  const secure = url.protocol === 'https:';
  const agent = new (secure ? SecureAgent : Agent)({ keepAlive: true, maxSockets: 1 });
  const prefix = url.pathname.replace(/\/$/, '');
  const search = query ? `?${new URLSearchParams(query)}` : '';
  const bytes = body === undefined ? undefined : Buffer.from(body);
  const options: RequestOptions = {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? undefined : Number(url.port),
    path: `${prefix}/api/v1/${encodeURIComponent(token)}/${path.join('/')}${search}`,
    method,
    agent,
    headers: bytes && { 'content-type': 'application/json', 'content-length': bytes.length },
  };
  return {
    send: () =>
      new Promise((resolve, reject) => {
        const failed = (error: NodeJS.ErrnoException) => reject(new NoAnswer(error.code ?? error.message));
        (secure ? secureRequest : request)(options, (response) => {
          response.once('error', failed).once('end', () => resolve(String(response.statusCode)));
          response.resume();
        })
          .once('error', failed)
          .end(bytes);
      }),
    close: () => agent.destroy(),
  };
}
