import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';

export interface HttpRequest {
  readonly method: string;
  /** Complete: `/api/v1/tok1/telemetry`. */
  readonly path: string;
  readonly body?: string | Buffer | undefined;
  /** Sent as they are; without a Content-Type there is none. A Content-Length that is given is not kept to. */
  readonly headers?: OutgoingHttpHeaders | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
}

/** A request on a connection of its own, and its answer. */
export function httpExchange(port: number, { method, path, body, headers, signal }: HttpRequest): Promise<HttpAnswer> {
  const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: '127.0.0.1', port, method, path, headers: { ...length, ...headers }, agent: false, signal },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const bytes = Buffer.concat(chunks);
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, bytes, text: bytes.toString() });
          outgoing.destroy();
        });
      },
    );
    outgoing.on('error', reject);
    // One that announces more than it sends waits for the answer as it is.
    if (headers && 'Content-Length' in headers) outgoing.flushHeaders();
    else outgoing.end(body);
  });
}
