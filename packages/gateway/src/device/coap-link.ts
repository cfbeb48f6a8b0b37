import { type ClientRequest, CoapClient, CoapFailure, type CoapReply } from '@tandem/coap-transport';
import { type Millis, systemClock, systemRandom } from '@tandem/core';
import { type Answer, type DeviceLink, NoAnswer, type Provision, Refused, type Watched } from './device-link';
import { pause } from './pause';

/** RFC 7641 section 3.3.1: a gateway that was started anew has forgotten its observers. */
const REFRESH: Millis = 60_000;
export const CONTENT_FORMAT_JSON = 50;
const DEFAULT_PORT = 5683;
/** Of an end that is told, and need not be heard. */
const FAREWELL: Millis = 1_000;

export class CoapLink implements DeviceLink {
  private constructor(
    private readonly url: URL,
    private readonly token: string,
    private readonly client: CoapClient,
  ) {}

  /** @throws NoAnswer when the host is not known */
  static async open(url: URL, token: string): Promise<CoapLink> {
    return new CoapLink(url, token, await openClient(url));
  }

  post(path: readonly string[], body: string): Promise<Answer> {
    return this.#ask({ ...this.#at(...path), ...posted(body) });
  }

  download(title: string, version: string): Promise<Answer> {
    const query = [`title=${title}`, `version=${version}`];
    return this.#ask({ ...this.#at('firmware'), method: 'GET', query });
  }

  async watch(what: Watched, heard: (body: string) => void | Promise<void>, signal: AbortSignal): Promise<void> {
    let end: ((answer: Answer) => void) | undefined;
    const ended = new Promise<Answer>((resolve) => {
      end = resolve;
    });
    const take = (reply: CoapReply) => {
      if (reply.observe === undefined) end?.(answerOf(reply));
      else if (reply.payload.length > 0) void heard(reply.payload.toString());
    };
    const known = naming(this.url);
    const observation = await this.client
      .observe({ ...this.#at(what), method: 'GET' }, { notified: take })
      .catch((error: unknown) => Promise.reject(known(error)));
    take(observation.first);
    for (;;) {
      const over = new AbortController();
      const outcome = await Promise.race([ended, pause(systemClock, REFRESH, AbortSignal.any([signal, over.signal]))]);
      over.abort();
      if (outcome) throw new Refused(outcome);
      if (signal.aborted) break;
      take(await observation.refresh().catch((error: unknown) => Promise.reject(known(error))));
    }
    await Promise.race([
      observation.cancel().catch(() => {}),
      pause(systemClock, FAREWELL, new AbortController().signal),
    ]);
  }

  close(): void {
    this.client.close();
  }

  #at(...path: string[]) {
    return { path: ['api', 'v1', this.token, ...path] };
  }

  #ask(request: ClientRequest): Promise<Answer> {
    return asked(this.url, this.client, request);
  }
}

/** One client for all of them: they are strangers still. */
export async function coapProvision(url: URL): Promise<{ provision: Provision; close(): void }> {
  const client = await openClient(url);
  const path = ['api', 'v1', 'provision'];
  return { provision: (body) => asked(url, client, { path, ...posted(body) }), close: () => client.close() };
}

const posted = (body: string) =>
  ({ method: 'POST', payload: Buffer.from(body), contentFormat: CONTENT_FORMAT_JSON }) as const;

async function asked(url: URL, client: CoapClient, request: ClientRequest): Promise<Answer> {
  try {
    return answerOf(await client.request(request));
  } catch (error) {
    throw naming(url)(error);
  }
}

/** @throws NoAnswer when the host is not known */
export const openClient = (url: URL): Promise<CoapClient> =>
  CoapClient.open({
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    clock: systemClock,
    random: systemRandom,
  }).catch((error: unknown) => Promise.reject(naming(url)(error)));

const naming =
  (url: URL) =>
  (error: unknown): unknown =>
    error instanceof CoapFailure ? new NoAnswer(`${url.protocol}//${url.host} ${error.message}`) : error;

const answerOf = ({ code, payload, maxAge }: CoapReply): Answer => ({
  code,
  body: payload,
  // Of a success it says how long that is fresh.
  retryAfter: maxAge === undefined || code.startsWith('2') ? undefined : maxAge * 1_000,
});
