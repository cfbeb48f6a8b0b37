import { type IncomingHttpHeaders, request } from 'node:http';
import { useSecret } from './used-secrets';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** A device that speaks HTTP; every request on a connection of its own. */
export class HttpDevice {
  constructor(
    readonly port: number,
    readonly token: string,
  ) {
    useSecret(token);
  }

  get(path: string): Promise<HttpAnswer> {
    return this.#send('GET', path);
  }

  post(path: string, body: string): Promise<HttpAnswer> {
    return this.#send('POST', path, body);
  }

  /** Waits for an update, or for a command, for a minute. */
  poll(what: 'attributes/updates' | 'rpc', timeout = 60_000): Promise<HttpAnswer> {
    return this.get(`${what}?timeout=${timeout}`);
  }

  /**
   * From its end on the device has a place in the log of its attributes: its next poll tells what is written from now on. A
   * first poll counts as open while the gateway still asks the store where the log ends.
   */
  async takePlace(): Promise<void> {
    const { status, text } = await this.poll('attributes/updates', 1);
    if (status !== 408) throw new Error(`a poll that finds nothing: ${status} ${text}`);
  }

  #send(method: string, path: string, body?: string): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
      const outgoing = request(
        { host: '127.0.0.1', port: this.port, method, path: `/api/v1/${this.token}/${path}`, headers, agent: false },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('error', reject);
          incoming.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text });
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }
}
