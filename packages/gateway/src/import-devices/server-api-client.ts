import { setTimeout as pause } from 'node:timers/promises';
import type { ImportColumn, ImportResult, Millis } from '@tandem/core';

export type Login = { readonly username: string; readonly password: string } | { readonly apiKey: string };

/** How often a request is made that the gateway cannot serve now. */
const ATTEMPTS = 6;
const FIRST_PAUSE: Millis = 500;

/** The calls of the server API that an import needs. */
export class ServerApiClient {
  readonly #origin: string;
  #token: string | undefined;

  /** @throws Error when `url` is none */
  constructor(
    url: string,
    private readonly login: Login,
  ) {
    this.#origin = new URL(url).href.replace(/\/$/, '');
  }

  /** @throws Error with what the gateway says */
  async importDevices(file: string, columns: readonly ImportColumn[], update: boolean): Promise<ImportResult> {
    const body = JSON.stringify({ file, mapping: { columns, delimiter: ',', header: false, update } });
    const response = await this.#authorized('/api/device/bulk_import', body);
    return (await response.json()) as ImportResult;
  }

  async #authorized(path: string, body: string): Promise<Response> {
    const first = await this.#post(path, body, await this.#authorization());
    if (first.status !== 401 || this.#token === undefined) return this.#successful(first);
    // A long import can outlive its token.
    this.#token = undefined;
    return this.#successful(await this.#post(path, body, await this.#authorization()));
  }

  async #authorization(): Promise<string> {
    if ('apiKey' in this.login) return `ApiKey ${this.login.apiKey}`;
    this.#token ??= await this.#logIn(this.login);
    return `Bearer ${this.#token}`;
  }

  async #logIn(login: object): Promise<string> {
    const response = await this.#successful(await this.#post('/api/auth/login', JSON.stringify(login)));
    return ((await response.json()) as { token: string }).token;
  }

  async #successful(response: Response): Promise<Response> {
    if (response.ok) return response;
    const text = await response.text();
    throw new Error(`The gateway answers ${response.status}: ${messageOf(text)}`);
  }

  /** Again while it is busy, or not there, as when it is started anew: an import can be repeated. */
  async #post(path: string, body: string, authorization?: string): Promise<Response> {
    const headers = { 'Content-Type': 'application/json', ...(authorization && { 'X-Authorization': authorization }) };
    for (let attempt = 1; ; attempt++) {
      const outcome = await fetch(this.#origin + path, { method: 'POST', headers, body }).catch(
        (error: unknown) => error,
      );
      const answered = outcome instanceof Response;
      if (answered && outcome.status !== 503 && outcome.status !== 429) return outcome;
      if (attempt === ATTEMPTS) {
        if (answered) return outcome;
        throw new Error(`${this.#origin} cannot be reached: ${causeOf(outcome)}`);
      }
      const asked = answered ? Number(outcome.headers.get('Retry-After')) * 1_000 : 0;
      await pause(Math.max(asked, FIRST_PAUSE * 2 ** (attempt - 1)));
    }
  }
}

/** The sentence of an error body (server contract 1.2). */
function messageOf(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    if (typeof message === 'string') return message;
  } catch {
    // No JSON: the text itself says it.
  }
  return text;
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
