import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventually } from '../support/eventually';

export interface AiocoapResult {
  readonly id: number;
  /** Dotted: `2.05`. */
  readonly code?: string;
  readonly payload?: string;
  /** Whether an Echo option had to be sent back. */
  readonly challenged?: boolean;
}

export interface AiocoapRequest {
  readonly url: string;
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly payload?: string;
  readonly non?: boolean;
}

/** One process of `aiocoap_client.py`: one device on a socket of its own. */
export class AiocoapClient {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #results: AiocoapResult[] = [];
  #complaints = '';
  #ids = 0;

  /**
   * @param python an interpreter that has aiocoap
   * @param port of its own; any that is free where none is given
   */
  constructor(python: string, port?: number) {
    const args = port === undefined ? [] : [String(port)];
    this.#process = spawn(python, ['-u', join(__dirname, 'aiocoap_client.py'), ...args]);
    createInterface(this.#process.stdout).on('line', (line) => this.#results.push(JSON.parse(line)));
    this.#process.stderr.setEncoding('utf8').on('data', (piece: string) => {
      this.#complaints += piece;
    });
  }

  async request(request: AiocoapRequest): Promise<AiocoapResult> {
    return this.#result(this.#send({ do: 'request', ...request }), 0);
  }

  /** The observation with its first answer. */
  async observe(request: AiocoapRequest): Promise<AiocoapObservation> {
    const id = this.#send({ do: 'observe', ...request });
    await this.#result(id, 0);
    return { next: (place) => this.#result(id, place) };
  }

  async end(): Promise<void> {
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
  }

  #send(line: object): number {
    this.#process.stdin.write(`${JSON.stringify({ id: ++this.#ids, ...line })}\n`);
    return this.#ids;
  }

  async #result(id: number, place: number): Promise<AiocoapResult> {
    const find = () => this.#results.filter((result) => result.id === id)[place];
    await eventually(() => (find() ? undefined : `no answer ${place} to ${id}: ${this.#complaints}`), 15_000);
    return find() as AiocoapResult;
  }
}

export interface AiocoapObservation {
  /** What it has brought: 0 is the answer to the registration. */
  next(place: number): Promise<AiocoapResult>;
}
