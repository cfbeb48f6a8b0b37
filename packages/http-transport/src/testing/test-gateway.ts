import {
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { Core, DeviceSession, LabelsOf, MetricName, TlsFiles, Watched } from '@tandem/core';
import { type OpenCore, type OpenCoreOptions, openCore } from '@tandem/state-embedded/testing';
import { ClientCertificates } from '../client-certificates';
import { createDeviceApi, type DeviceApi } from '../device-api';
import { createApp, createHttpServer, listen } from '../http-server';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly payload: Buffer;
  /** The payload as UTF-8. */
  readonly text: string;
}

export interface TestDevice {
  readonly token: string;
  readonly id: string;
}

export interface TestGatewayOptions extends Omit<OpenCoreOptions, 'clock'> {
  /** Makes it speak HTTPS, and ask clients for certificates. */
  readonly files?: Watched<TlsFiles>;
}

/** The device API on a free port over the real embedded store. */
export class TestGateway {
  readonly core: Core;
  readonly tenantId: string;
  /** Everything that was logged, a text for each. */
  readonly log: readonly string[];
  #devices = 0;

  private constructor(
    private readonly opened: OpenCore,
    readonly api: DeviceApi,
    readonly server: Server,
    readonly port: number,
  ) {
    this.core = opened.core;
    this.tenantId = opened.tenantId;
    this.log = opened.log;
  }

  static async start(options: TestGatewayOptions = {}): Promise<TestGateway> {
    const opened = await openCore(options);
    const { core } = opened;
    const { files } = options;
    const api = createDeviceApi(core, files && new ClientCertificates(core, files));
    const app = createApp();
    app.use(api.middleware);
    app.use((_request: IncomingMessage, response: ServerResponse) => {
      response.statusCode = 404;
      response.end('passed on');
    });
    const server = createHttpServer(app, files && { tls: { files, clientCertificates: true } });
    const { port } = await listen(server, { host: '127.0.0.1', port: 0 });
    return new TestGateway(opened, api, server, port);
  }

  async stop(): Promise<void> {
    this.api.close(0);
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
    await this.opened.close();
  }

  async device(token = `token${++this.#devices}`, deviceProfileId?: string): Promise<TestDevice> {
    const { id } = await this.core.devices.create(
      this.tenantId,
      { name: `device of ${token}`, deviceProfileId },
      { credentialsId: token },
    );
    return { token, id };
  }

  session({ token }: TestDevice): Promise<DeviceSession> {
    return this.core.auth.resolve(token);
  }

  /** @param path relative to /api/v1 */
  async send(
    method: string,
    path: string,
    { body, headers = {} }: { body?: string | Buffer; headers?: Readonly<Record<string, string | number>> } = {},
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest(
        {
          host: '127.0.0.1',
          port: this.port,
          path: `/api/v1${path}`,
          method,
          agent: false,
          headers: body === undefined ? headers : { 'Content-Length': Buffer.byteLength(body), ...headers },
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('error', reject);
          incoming.on('end', () => {
            const payload = Buffer.concat(chunks);
            resolve({
              status: incoming.statusCode ?? 0,
              headers: incoming.headers,
              payload,
              text: payload.toString(),
            });
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  get(path: string): Promise<Answer> {
    return this.send('GET', path);
  }

  post(path: string, body?: string | Buffer): Promise<Answer> {
    return this.send('POST', path, { body });
  }

  connect(): Socket {
    return connect({ host: '127.0.0.1', port: this.port, allowHalfOpen: true });
  }

  get openPolls(): number {
    return this.gauge('tandem_http_open_polls');
  }

  /** The reading of a metric, of all its samples with these labels. */
  gauge<N extends MetricName>(name: N, labels?: Partial<LabelsOf<N>>): number {
    return this.core.metrics.value(name, labels) ?? Number.NaN;
  }

  /** Resolves when so many polls are open and have read what is there. */
  async polls(count: number): Promise<void> {
    await until(() => this.openPolls === count);
    await setImmediate();
  }

  /** Latest values as `key: canonical text`. */
  async stored({ id }: TestDevice): Promise<Record<string, { readonly ts: number; readonly value: string }>> {
    await this.core.state.materialiser.caughtUp();
    return Object.fromEntries(await this.core.timeSeries.latest(id));
  }

  async clientAttributes({ id }: TestDevice): Promise<Record<string, string>> {
    const attributes = await this.core.attributes.read(id, 'CLIENT');
    return Object.fromEntries(attributes.map(({ key, value }) => [key, value]));
  }
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate();
}
