import { Agent, request } from 'node:http';
import { concurrently } from '../concurrently';

/** The demo login that TANDEM_DEMO=true brings. */
const DEMO_LOGIN = { username: 'tenant@thingsboard.org', password: 'tenant' };
/** Calls under way at the same time, each on a connection of its own that is kept. */
const CALLS_AT_ONCE = 16;
/** Devices in one call of the import, and such calls under way at the same time. */
const LIST_ROWS = 1_000;
const LISTS_AT_ONCE = 4;
/** Devices that a page of the list holds at the most. */
const LARGEST_PAGE = 10_000;

/** The server API of a gateway under test, as its demo administrator. Every call throws when it is not answered 200. */
export class ServerApi {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CALLS_AT_ONCE });
  #session = '';

  private constructor(private readonly origin: string) {}

  static async login(origin: string): Promise<ServerApi> {
    const api = new ServerApi(origin);
    const { token } = (await api.#post('/api/auth/login', JSON.stringify(DEMO_LOGIN))) as { token: string };
    api.#session = `Bearer ${token}`;
    return api;
  }

  /** What a call carries in X-Authorization. */
  get authorization(): string {
    return this.#session;
  }

  /** One device for each access token, named as its token. Returns their ids in the order of the tokens. */
  async createDevices(tokens: readonly string[]): Promise<string[]> {
    const ids: string[] = new Array(tokens.length);
    await concurrently(tokens, CALLS_AT_ONCE, async (token, index) => {
      const device = await this.#post(`/api/device?accessToken=${token}`, JSON.stringify({ name: token }));
      ids[index] = (device as { id: { id: string } }).id.id;
    });
    return ids;
  }

  /** The same for many, as lists of devices. @param nameOf name of the device at an index, without commas */
  async importDevices(tokens: readonly string[], nameOf: (index: number) => string): Promise<string[]> {
    const columns = [{ type: 'NAME' }, { type: 'ACCESS_TOKEN' }];
    const lists = Array.from({ length: Math.ceil(tokens.length / LIST_ROWS) }, (_, list) => list * LIST_ROWS);
    await concurrently(lists, LISTS_AT_ONCE, async (from) => {
      const rows = tokens.slice(from, from + LIST_ROWS).map((token, index) => `${nameOf(from + index)},${token}`);
      const list = JSON.stringify({ file: rows.join('\n'), mapping: { columns } });
      const { created } = (await this.#post('/api/device/bulk_import', list)) as { created: number };
      if (created !== rows.length) throw new Error(`${created} devices of a list of ${rows.length} were made`);
    });
    return this.#idsByName(tokens.map((_, index) => nameOf(index)));
  }

  /** Writes the same shared attributes to each of the devices, one call for each. */
  async writeShared(deviceIds: readonly string[], attributes: string): Promise<void> {
    await concurrently(deviceIds, CALLS_AT_ONCE, (id) =>
      this.#post(`/api/plugins/telemetry/DEVICE/${id}/SHARED_SCOPE`, attributes),
    );
  }

  /** The same telemetry from each of the devices, over the device API of the same origin. */
  async sendTelemetry(tokens: readonly string[], telemetry: string): Promise<void> {
    await concurrently(tokens, CALLS_AT_ONCE, (token) => this.#post(`/api/v1/${token}/telemetry`, telemetry));
  }

  /** Resolves with the body of the answer. */
  get(path: string): Promise<string> {
    return this.#call('GET', path);
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Resolves with the parsed answer; undefined when it has no body. */
  async #idsByName(names: readonly string[]): Promise<string[]> {
    const ids = new Map<string, string>();
    for (let page = 0; page * LARGEST_PAGE < names.length; page += 1) {
      const text = await this.get(`/api/tenant/devices?pageSize=${LARGEST_PAGE}&page=${page}`);
      for (const { name, id } of (JSON.parse(text) as { data: { name: string; id: { id: string } }[] }).data) {
        ids.set(name, id.id);
      }
    }
    return names.map((name) => {
      const id = ids.get(name);
      if (id === undefined) throw new Error(`${name} is not in the list of devices`);
      return id;
    });
  }

  async #post(path: string, body: string): Promise<unknown> {
    const text = await this.#call('POST', path, body);
    return text === '' ? undefined : JSON.parse(text);
  }

  #call(method: 'GET' | 'POST', path: string, body = ''): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = {
        ...(body !== '' && { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }),
        'X-Authorization': this.#session,
      };
      const call = request(`${this.origin}${path}`, { method, agent: this.#agent, headers }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.once('error', reject);
        response.once('end', () => {
          const text = Buffer.concat(parts).toString();
          if (response.statusCode === 200) resolve(text);
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
        });
      });
      call.once('error', reject).end(body);
    });
  }
}
