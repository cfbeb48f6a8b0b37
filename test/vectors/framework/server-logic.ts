import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Call {
  readonly method: string;
  readonly params: unknown;
}

/**
 * What answers client-side commands other than `getTime`. The method says how:
 * `boom` fails with that text, `silent` never answers, `late` answers after a second, any other gets `{"time":"x"}`.
 */
export class ServerLogic {
  readonly calls: Call[] = [];
  readonly #server: Server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const call = JSON.parse(body) as Call;
    this.calls.push(call);
    this.#answer(call, response);
  });

  static async start(): Promise<ServerLogic> {
    const logic = new ServerLogic();
    logic.#server.listen(0, '127.0.0.1');
    await once(logic.#server, 'listening');
    return logic;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    return closed;
  }

  #answer({ method }: Call, response: ServerResponse): void {
    const reply = () => response.end('{"time":"x"}');
    if (method === 'silent') return;
    if (method === 'late') setTimeout(reply, 1_000);
    else if (method === 'boom') response.writeHead(500).end('{"error":"boom"}');
    else reply();
  }
}
