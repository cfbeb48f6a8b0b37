import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, type AgentOptions, request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { ADMIN_EMAIL, ADMIN_PASSWORD } from '../support/gateway-process';
import type { Identity } from './pki';

export interface HttpsAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Name in the certificate of the server. */
  readonly server: string;
  /** The client's own, which tells connections apart. */
  readonly port: number;
}

/** A client with one connection that it keeps. */
export class HttpsClient {
  readonly #agent: Agent;

  constructor(
    private readonly port: number,
    authority: Identity,
    /** Shown with its chain, where it has one. */
    own?: Pick<Identity, 'chain' | 'key'>,
    options: AgentOptions = {},
  ) {
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: 1,
      ca: authority.certificate,
      ...(own && { cert: own.chain, key: own.key }),
      ...options,
    });
  }

  send(
    method: string,
    path: string,
    { body, headers = {} }: { body?: string; headers?: Readonly<Record<string, string>> } = {},
  ): Promise<HttpsAnswer> {
    return new Promise((resolve, reject) => {
      const answered = (incoming: IncomingMessage) => {
        const { localPort: port = 0 } = incoming.socket;
        const server = String((incoming.socket as TLSSocket).getPeerCertificate().subject.CN);
        let text = '';
        incoming.setEncoding('utf8').on('data', (piece: string) => {
          text += piece;
        });
        incoming.on('error', reject);
        incoming.on('end', () => {
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, server, port });
        });
      };
      const to = { host: '127.0.0.1', port: this.port, method, path, headers, agent: this.#agent };
      const outgoing = request(to, answered);
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  get(path: string, headers?: Readonly<Record<string, string>>): Promise<HttpsAnswer> {
    return this.send('GET', path, { headers });
  }

  post(path: string, body: string, headers?: Readonly<Record<string, string>>): Promise<HttpsAnswer> {
    return this.send('POST', path, { body, headers });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** The administrator, over HTTPS. */
export class SecureAdmin {
  private constructor(
    private readonly client: HttpsClient,
    readonly jwt: string,
  ) {}

  static async login(client: HttpsClient): Promise<SecureAdmin> {
    const body = JSON.stringify({ username: ADMIN_EMAIL, password: ADMIN_PASSWORD });
    const { text } = await client.post('/api/auth/login', body, JSON_TYPE);
    return new SecureAdmin(client, (JSON.parse(text) as { token: string }).token);
  }

  async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const headers = { ...JSON_TYPE, 'X-Authorization': `Bearer ${this.jwt}` };
    const { status, text } = await this.client.send(method, path, {
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (status !== 200) throw new Error(`${method} ${path}: ${status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** @returns the id */
  async device(name: string, accessToken: string): Promise<string> {
    const device = await this.json<{ id: { id: string } }>('POST', `/api/device?accessToken=${accessToken}`, { name });
    return device.id.id;
  }

  /** From now on the device has this certificate, and no token. */
  async giveCertificate(deviceId: string, { certificate }: Identity): Promise<void> {
    const now = await this.json<object>('GET', `/api/device/${deviceId}/credentials`);
    await this.json('POST', '/api/device/credentials', {
      ...now,
      credentialsType: 'X509_CERTIFICATE',
      credentialsId: null,
      credentialsValue: certificate,
    });
  }

  async latest(deviceId: string, key: string): Promise<string | null | undefined> {
    const path = `/api/plugins/telemetry/DEVICE/${deviceId}/values/timeseries?keys=${key}`;
    return (await this.json<Record<string, { value: string | null }[]>>('GET', path))[key]?.[0]?.value;
  }
}

const JSON_TYPE = { 'Content-Type': 'application/json' };
