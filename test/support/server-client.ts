import { ADMIN_EMAIL, ADMIN_PASSWORD } from './gateway-process';
import { useSecret, useSecretsOf, useSecretsOfPath } from './used-secrets';

export interface ServerAnswer {
  readonly status: number;
  readonly text: string;
}

export interface Point {
  readonly ts: number;
  readonly value: string;
}

/** A client of the REST API. */
export class ServerClient {
  private constructor(
    private readonly port: number,
    readonly jwt: string,
    readonly refreshToken: string,
  ) {
    useSecret(jwt);
    useSecret(refreshToken);
  }

  /** @throws Error with the status when the login is refused */
  static async login(port: number, email = ADMIN_EMAIL, password = ADMIN_PASSWORD): Promise<ServerClient> {
    useSecret(password);
    const response = await fetch(`http://127.0.0.1:${port}/api/auth/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ username: email, password }),
    });
    if (response.status !== 200) throw new Error(`login: ${response.status}`);
    const { token, refreshToken } = (await response.json()) as { token: string; refreshToken: string };
    return new ServerClient(port, token, refreshToken);
  }

  /** The same login at another process of the same store. */
  at(port: number): ServerClient {
    return new ServerClient(port, this.jwt, this.refreshToken);
  }

  async send(method: string, path: string, body?: unknown): Promise<ServerAnswer> {
    const sent = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, {
      method,
      headers: { 'X-Authorization': `Bearer ${this.jwt}`, 'Content-Type': 'application/json' },
      body: sent,
    });
    const text = await response.text();
    useSecretsOfPath(path);
    for (const json of [sent ?? '', text]) useSecretsOf(json, path.startsWith('/api/apiKey'));
    return { status: response.status, text };
  }

  async #json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const { status, text } = await this.send(method, path, body);
    if (status !== 200) throw new Error(`${method} ${path}: ${status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** @returns the device's id */
  async createDevice(token: string, name = `device of ${token}`): Promise<string> {
    const path = `/api/device?accessToken=${encodeURIComponent(token)}`;
    return (await this.#json<{ id: { id: string } }>('POST', path, { name, type: 'thermostat' })).id.id;
  }

  async tokenOf(deviceId: string): Promise<string> {
    const path = `/api/device/${deviceId}/credentials`;
    return (await this.#json<{ credentialsId: string }>('GET', path)).credentialsId;
  }

  /** One save, one event. */
  share(deviceId: string, attributes: unknown): Promise<void> {
    return this.#json('POST', `/api/plugins/telemetry/DEVICE/${deviceId}/SHARED_SCOPE`, attributes);
  }

  unshare(deviceId: string, keys: readonly string[]): Promise<void> {
    return this.#json('DELETE', `/api/plugins/telemetry/DEVICE/${deviceId}/SHARED_SCOPE?keys=${keys}`);
  }

  /** A two-way command that lives for ten minutes. @returns its id at the server API */
  async persistentCommand(deviceId: string, method: string, params: unknown): Promise<string> {
    const command = { method, params, persistent: true, expirationTime: Date.now() + 600_000 };
    return (await this.#json<{ rpcId: string }>('POST', `/api/rpc/twoway/${deviceId}`, command)).rpcId;
  }

  async persistentStatus(rpcId: string): Promise<string> {
    return (await this.#json<{ status: string }>('GET', `/api/rpc/persistent/${rpcId}`)).status;
  }

  command(way: 'oneway' | 'twoway', deviceId: string, body: unknown): Promise<ServerAnswer> {
    return this.send('POST', `/api/rpc/${way}/${deviceId}`, body);
  }

  async attributes(deviceId: string, scope: 'CLIENT_SCOPE' | 'SHARED_SCOPE'): Promise<Record<string, unknown>> {
    const path = `/api/plugins/telemetry/DEVICE/${deviceId}/values/attributes/${scope}`;
    const found = await this.#json<Array<{ key: string; value: unknown }>>('GET', path);
    return Object.fromEntries(found.map(({ key, value }) => [key, value]));
  }

  latest(deviceId: string): Promise<Record<string, Point[]>> {
    return this.#json('GET', `/api/plugins/telemetry/DEVICE/${deviceId}/values/timeseries`);
  }

  async history(deviceId: string, key: string): Promise<Point[]> {
    return (await this.histories(deviceId, [key]))[key] ?? [];
  }

  histories(deviceId: string, keys: readonly string[]): Promise<Record<string, Point[]>> {
    const range = 'startTs=0&endTs=9000000000000&limit=1000000&orderBy=ASC';
    return this.#json('GET', `/api/plugins/telemetry/DEVICE/${deviceId}/values/timeseries?keys=${keys}&${range}`);
  }
}
