import { setTimeout as pause } from 'node:timers/promises';
import type { Millis } from '@tandem/core';
import type { Login } from './login';

type Method = 'GET' | 'POST';

/** How often a request is made that the gateway cannot serve now. */
const ATTEMPTS = 6;
const FIRST_PAUSE: Millis = 500;

/** Calls of the server API, of this product or of ThingsBoard, under one login. */
export class ServerApiClient {
  readonly #origin: string;
  readonly #name: string;
  #token: string | undefined;

  /**
   * @param name of the server in messages
   * @throws Error when `url` is none
   */
  constructor(
    url: string,
    private readonly login: Login,
    name = 'The gateway',
  ) {
    this.#name = name;
    this.#origin = new URL(url).href.replace(/\/$/, '');
  }

  /** @throws Error with what the server says */
  async get(path: string): Promise<string> {
    return (await this.#successful(await this.#authorized('GET', path))).text();
  }

  /** undefined where there is none. @throws Error with what the server says */
  async find(path: string): Promise<string | undefined> {
    const response = await this.#authorized('GET', path);
    if (response.status !== 404) return (await this.#successful(response)).text();
    await response.body?.cancel();
    return undefined;
  }

  /** @param body JSON @throws Error with what the server says */
  async post(path: string, body: string): Promise<string> {
    return (await this.#successful(await this.#authorized('POST', path, body))).text();
  }

  async #authorized(method: Method, path: string, body?: string): Promise<Response> {
    const first = await this.#send(method, path, body, await this.#authorization());
    if (first.status !== 401 || this.#token === undefined) return first;
    // A long run can outlive its token.
    this.#token = undefined;
    return this.#send(method, path, body, await this.#authorization());
  }

  async #authorization(): Promise<string> {
    if ('apiKey' in this.login) return `ApiKey ${this.login.apiKey}`;
    this.#token ??= await this.#logIn(this.login);
    return `Bearer ${this.#token}`;
  }

  async #logIn(login: object): Promise<string> {
    const response = await this.#successful(await this.#send('POST', '/api/auth/login', JSON.stringify(login)));
    return ((await response.json()) as { token: string }).token;
  }

  async #successful(response: Response): Promise<Response> {
    if (response.ok) return response;
    const text = await response.text();
    throw new Error(`${this.#name} answers ${response.status}: ${messageOf(text)}`);
  }

  /** Again while it is busy, or not there, as when it is started anew: what is sent can be repeated. */
  async #send(method: Method, path: string, body: string | undefined, authorization?: string): Promise<Response> {
    const headers = { 'Content-Type': 'application/json', ...(authorization && { 'X-Authorization': authorization }) };
    for (let attempt = 1; ; attempt++) {
      const outcome = await fetch(this.#origin + path, { method, headers, body }).catch((error: unknown) => error);
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
