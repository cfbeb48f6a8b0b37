import type { Millis } from '@tandem/core';
import {
  type Answer,
  type DeviceLink,
  NoAnswer,
  type Provision,
  Refused,
  verdictOf,
  type Watched,
} from './device-link';

/** How long a poll waits: shorter than the patience of proxies, which is 60 s with many. */
const POLL: Millis = 50_000;
/** A gateway that does not answer at all. */
const PATIENCE: Millis = 30_000;

export class HttpLink implements DeviceLink {
  readonly #base: string;

  /** @param url of the gateway, as `http://localhost:8080` */
  constructor(
    private readonly url: URL,
    token: string,
  ) {
    this.#base = `${origin(url)}/api/v1/${encodeURIComponent(token)}`;
  }

  post(path: readonly string[], body: string): Promise<Answer> {
    return ask(this.url, `${this.#base}/${path.join('/')}`, PATIENCE, { method: 'POST', body, headers: JSON_BODY });
  }

  download(title: string, version: string): Promise<Answer> {
    return ask(this.url, `${this.#base}/firmware?${new URLSearchParams({ title, version })}`, 10 * PATIENCE, {});
  }

  async watch(what: Watched, heard: (body: string) => void | Promise<void>, signal: AbortSignal): Promise<void> {
    if (what === 'attributes') await this.#shared(heard);
    const path = what === 'rpc' ? 'rpc' : 'attributes/updates';
    while (!signal.aborted) {
      const answer = await ask(this.url, `${this.#base}/${path}?timeout=${POLL}`, POLL + PATIENCE, { signal }).catch(
        (error: unknown) => {
          if (signal.aborted) return undefined;
          throw error;
        },
      );
      if (!answer) return;
      if (answer.code === '200') await heard(answer.body.toString());
      // 408 without a body: nothing came; with one it is this request that took too long.
      else if (answer.code !== '408' || answer.body.length > 0) throw new Refused(answer);
    }
  }

  close(): void {}

  /** What an observation tells first. */
  async #shared(heard: (body: string) => void | Promise<void>): Promise<void> {
    const answer = await ask(this.url, `${this.#base}/attributes`, PATIENCE, {});
    if (verdictOf(answer) !== 'done') throw new Refused(answer);
    // As text, so that 42.0 stays that.
    const [, shared] = /"shared":(\{.*\})\}$/s.exec(answer.body.toString()) ?? [];
    if (shared) await heard(shared);
  }
}

const JSON_BODY = { 'content-type': 'application/json' };

export const httpProvision =
  (url: URL): Provision =>
  (body) =>
    ask(url, `${origin(url)}/api/v1/provision`, PATIENCE, { method: 'POST', body, headers: JSON_BODY });

const origin = (url: URL): string => `${url.origin}${url.pathname.replace(/\/$/, '')}`;

/** @throws NoAnswer */
async function ask(url: URL, target: string, patience: Millis, init: RequestInit): Promise<Answer> {
  const signals = [AbortSignal.timeout(patience), ...(init.signal ? [init.signal] : [])];
  try {
    const response = await fetch(target, { ...init, signal: AbortSignal.any(signals) });
    const body = Buffer.from(await response.arrayBuffer());
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    return { code: String(response.status), body, retryAfter: Number.isFinite(seconds) ? seconds * 1_000 : undefined };
  } catch (error) {
    throw new NoAnswer(`${url.origin} ${reasonOf(error)}`);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'does not answer';
  const { code, message } = (error.cause ?? error) as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') return 'does not listen there';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'is not known: the host name does not resolve';
  if (/SELF_SIGNED|UNABLE_TO/.test(code ?? '')) {
    return 'has a certificate nobody trusts here: name its authority by NODE_EXTRA_CA_CERTS=<file.pem>';
  }
  if (code === 'UND_ERR_SOCKET' || code === 'ECONNRESET') return 'closes the connection';
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || /wrong version number/.test(message))
    return 'does not speak HTTPS: http://';
  return code ?? message;
}
