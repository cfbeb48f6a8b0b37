import { randomUUID } from 'node:crypto';
import { RawClient, type RawRequest, type Received } from '../../../packages/coap-transport/src/testing/raw-client';
import type { Identity, Pki } from '../../security/pki';
import { type DtlsClientOptions, DtlsDevice } from '../../support/dtls-device';
import { eventually } from '../../support/eventually';
import type { ServerAnswer, ServerClient } from '../../support/server-client';
import {
  type FixtureDevice,
  isTokenName,
  makeDevice,
  makeProfile,
  type ProfileFixture,
  type TokenName,
} from './fixtures';
import { type HttpAnswer, type HttpRequest, httpExchange } from './http-exchange';
import { elements, members, typed } from './json-text';
import type { ServerLogic } from './server-logic';
import type { Gateway } from './stores';

export interface World extends Gateway {
  /** Certificates; the server has one of it where the settings are secure. */
  readonly pki: Pki;
  /** The REST API, as tenant administrator. */
  readonly server: ServerClient;
  /** What answers client-side commands, see there. */
  readonly logic: ServerLogic;
}

export type Scope = 'CLIENT_SCOPE' | 'SHARED_SCOPE' | 'SERVER_SCOPE';
/** What a request over CoAP has besides method and path. */
export type CoapExtras = Partial<Omit<RawRequest, 'path' | 'method'>>;

export interface OpenPoll {
  readonly answer: Promise<HttpAnswer>;
  /** The client closes the connection. */
  abort(): void;
}

const MARKER = 'marker';

/**
 * What one vector acts in. The fixtures of contract section 8.0 are made when a request first names them, fresh for each
 * scene: `tok1` stands for a token such as `tok1-031`, of a device that no other vector has seen.
 */
export class Scene {
  readonly #began = Date.now();
  readonly #devices = new Map<TokenName, Promise<FixtureDevice>>();
  readonly #profiles = new Map<ProfileFixture, Promise<string>>();
  readonly #clients: RawClient[] = [];
  readonly #aborts: AbortController[] = [];
  readonly #dtls: DtlsDevice[] = [];
  readonly #others: Scene[] = [];
  #coap: Promise<RawClient> | undefined;
  #markers = 0;

  constructor(
    readonly world: World,
    private readonly tag: string,
  ) {}

  get server(): ServerClient {
    return this.world.server;
  }

  /** The same gateway with fixtures of its own: for a vector that is done twice. */
  fresh(tag: string): Scene {
    const scene = new Scene(this.world, `${this.tag}-${tag}`);
    this.#others.push(scene);
    return scene;
  }

  async end(): Promise<void> {
    await Promise.all(this.#others.map((scene) => scene.end()));
    for (const abort of this.#aborts) abort.abort();
    await this.#coap;
    for (const client of this.#clients) client.close();
    for (const device of this.#dtls) device.kill();
  }

  // Fixtures

  /** A name of this vector alone: `n1` becomes `n1-200`. */
  local(name: string): string {
    return `${name}-${this.tag}`;
  }

  device(name: TokenName): Promise<FixtureDevice> {
    const known = this.#devices.get(name);
    if (known) return known;
    const made = makeDevice(this, name);
    this.#devices.set(name, made);
    return made;
  }

  /** PA, PC and PD: the id of the profile. Its key is `local('ka')`, its secret `local('sa')`, and so on. */
  profile(name: ProfileFixture): Promise<string> {
    const known = this.#profiles.get(name);
    if (known) return known;
    const made = makeProfile(this, name);
    this.#profiles.set(name, made);
    return made;
  }

  /** A path with the names of tokens resolved, and of the firmware package `FW`. */
  async path(path: string): Promise<string> {
    const [, before = '', query = ''] = /^([^?]*)(.*)$/s.exec(path) ?? [];
    const segments = before
      .split('/')
      .map(async (part) => (isTokenName(part) ? (await this.device(part)).token : part));
    return (await Promise.all(segments)).join('/') + query.replace(/\btitle=FW\b/, `title=${this.local('FW')}`);
  }

  // HTTP

  /** @param line `POST /tok1/telemetry`: method, and path below `/api/v1` */
  async http(line: string, body?: string | Buffer, more: Partial<HttpRequest> = {}): Promise<HttpAnswer> {
    const [method = '', path = ''] = line.split(' ');
    const resolved = `/api/v1${await this.path(path)}`;
    return httpExchange(this.world.http.http, { method, path: resolved, body, ...more });
  }

  /** Resolves when the poll waits at the gateway. @param path `/tok1/rpc?timeout=500` */
  async poll(path: string): Promise<OpenPoll> {
    const { http } = this.world;
    const resolved = await this.path(path);
    // One before it fixes the device's position in the store: what is saved from then on is for this poll, even where the
    // process that has it is still asking for that position.
    const [before, isForUpdates] = [resolved.split('?')[0], resolved.includes('/attributes/updates')];
    if (isForUpdates) await this.http(`GET ${before}?timeout=1`);
    const open = await http.metric('tandem_http_open_polls');
    const abort = new AbortController();
    this.#aborts.push(abort);
    const { signal } = abort;
    const answer = httpExchange(http.http, { method: 'GET', path: `/api/v1${resolved}`, signal });
    answer.catch(() => {});
    await Promise.race([http.openPolls(open + 1), answer]);
    return { answer, abort: () => abort.abort() };
  }

  // CoAP

  /** The vector's client: a UDP socket that does what it is told. */
  coap(): Promise<RawClient> {
    this.#coap ??= this.newCoap();
    return this.#coap;
  }

  /** Another endpoint. */
  async newCoap(): Promise<RawClient> {
    const client = await RawClient.open(this.world.coap.coap);
    this.#clients.push(client);
    return client;
  }

  // CoAP over DTLS

  /** A session, or what becomes of one. */
  dtls(options: DtlsClientOptions = {}): DtlsDevice {
    const device = new DtlsDevice(this.world.coap.coaps, options);
    this.#dtls.push(device);
    return device;
  }

  /** DX: a device with a certificate. @returns its id */
  async deviceWith({ certificate }: Identity): Promise<string> {
    const device = { name: this.local('DX') };
    const credentials = { credentialsType: 'X509_CERTIFICATE', credentialsValue: certificate };
    const path = '/api/device-with-credentials';
    return (await this.call<{ id: { id: string } }>('POST', path, { device, credentials })).id.id;
  }

  /** Resolves when the device, which has no token to ask by, has this as its latest value. */
  async storedAt(deviceId: string, key: string, value: string): Promise<void> {
    await eventually(async () => {
      const latest = (await this.server.latest(deviceId))[key]?.[0]?.value;
      return latest === value ? undefined : `${key} is ${latest}`;
    });
  }

  /**
   * A request with its names resolved, for RawClient's `send` and `ask`.
   * @param line `POST /api/v1/tok1/telemetry`, `GET /fw/tokF?size=1000&chunk=1`
   */
  async request(line: string, payload: string | Buffer = '', extras: CoapExtras = {}): Promise<RawRequest> {
    const [method = '', whole = ''] = line.split(' ');
    const [path = '', query] = (await this.path(whole)).split('?');
    return { method, path, query: query?.split('&') ?? [], payload, ...extras };
  }

  /** Asks by the vector's client, Confirmable unless told otherwise; answers `{ kind: 'ACK 2.01', text: '' }`. */
  async ask(line: string, payload?: string | Buffer, extras?: CoapExtras): Promise<Received> {
    return (await this.coap()).ask(await this.request(line, payload, extras));
  }

  // What the server does

  async share(name: TokenName, attributes: unknown): Promise<void> {
    await this.server.share((await this.device(name)).id, attributes);
  }

  async unshare(name: TokenName, keys: readonly string[]): Promise<void> {
    await this.server.unshare((await this.device(name)).id, keys);
  }

  async saveServerAttributes(name: TokenName, attributes: unknown): Promise<void> {
    await this.call('POST', `/api/plugins/telemetry/DEVICE/${(await this.device(name)).id}/SERVER_SCOPE`, attributes);
  }

  /** A server-side command; resolves with what its sender is told. */
  async command(way: 'oneway' | 'twoway', name: TokenName, body: object): Promise<ServerAnswer> {
    return this.server.command(way, (await this.device(name)).id, body);
  }

  /**
   * Resolves when the command exists. Another is sent under the same id: the gateway takes one, and refuses the other as soon
   * as that is there.
   */
  async created(way: 'oneway' | 'twoway', name: TokenName, body: object): Promise<{ answer: Promise<ServerAnswer> }> {
    const request = { ...body, requestUUID: randomUUID() };
    const [one, other] = [
      this.command(way, name, request),
      this.command(way, name, { ...request, additionalInfo: {} }),
    ];
    const first = await Promise.race([
      one.then(({ status }) => [status, other] as const),
      other.then(({ status }) => [status, one] as const),
    ]);
    const [status, answer] = first;
    if (status !== 400) throw new Error(`the second command of one id was answered ${status}`);
    answer.catch(() => {});
    return { answer };
  }

  /** A call of the REST API that has to succeed. */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const { status, text } = await this.server.send(method, path, body);
    if (status !== 200) throw new Error(`${method} ${path}: ${status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  // What is stored

  /**
   * All telemetry of a device, sorted: `a LONG 1` for what has server time, `a LONG 1 at 1000` for what has another.
   * Telemetry is kept in order: what came before has been stored when a marker that is sent now is seen.
   */
  async stored(name: TokenName): Promise<string[]> {
    const { id, token } = await this.device(name);
    const base = `/api/plugins/telemetry/DEVICE/${id}`;
    const marker = String(++this.#markers);
    const path = `/api/v1/${token}/telemetry`;
    const sent = await httpExchange(this.world.http.http, { method: 'POST', path, body: `{"${MARKER}":${marker}}` });
    if (sent.status !== 200) throw new Error(`marker: ${sent.status} ${sent.text}`);
    await eventually(async () => {
      const { text } = await this.server.send('GET', `${base}/values/timeseries?keys=${MARKER}`);
      return text.includes(`"value":"${marker}"`) ? undefined : `the marker is not there: ${text}`;
    });
    const keys = (await this.call<string[]>('GET', `${base}/keys/timeseries`)).filter((key) => key !== MARKER);
    if (keys.length === 0) return [];
    const query = `keys=${keys.map(encodeURIComponent)}&startTs=-1000&endTs=9000000000000&useStrictDataTypes=true`;
    const { text } = await this.server.send('GET', `${base}/values/timeseries?${query}&limit=1000`);
    return [...members(text)]
      .flatMap(([key, points]) => elements(points).map((point) => `${key} ${this.#shown(members(point))}`))
      .sort();
  }

  /** The attributes of a scope, sorted: `a LONG 1`. */
  async attributes(name: TokenName, scope: Scope = 'CLIENT_SCOPE'): Promise<string[]> {
    const { id } = await this.device(name);
    const path = `/api/plugins/telemetry/DEVICE/${id}/values/attributes/${scope}`;
    const { text } = await this.server.send('GET', path);
    return elements(text)
      .map((entry) => members(entry))
      .map((entry) => `${JSON.parse(entry.get('key') ?? '')} ${typed(entry.get('value') ?? '')}`)
      .sort();
  }

  #shown(point: ReadonlyMap<string, string>): string {
    const ts = Number(point.get('ts'));
    const isServerTime = ts >= this.#began && ts <= Date.now();
    return `${typed(point.get('value') ?? '')}${isServerTime ? '' : ` at ${ts}`}`;
  }
}
