import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Core,
  type DeviceSession,
  freshCredentials,
  hashPassword,
  MetricsRegistry,
  makeCore,
  NULL_UUID,
  readSettings,
  type State,
  systemRandom,
  type User,
  type UserCredentials,
} from '@tandem/core';
import { openEmbeddedState } from '@tandem/state-embedded';
import type express from 'express';
import { createServerApi, type ServerApi } from '../server-api';
import { AnswerCheck } from './answer-check';
import { HeldClock } from './held-clock';

export const PASSWORD = 'correct horse';
export const ADMIN = 'tenant@thingsboard.org';
export const OTHER_ADMIN = 'other@thingsboard.org';
export const SYSTEM_ADMIN = 'sysadmin@thingsboard.org';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON. */
  json<T = Record<string, unknown>>(): T;
}

export interface CallOptions {
  readonly token?: string;
  readonly body?: string | object;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

export interface DeviceJson {
  readonly id: { readonly entityType: string; readonly id: string };
  readonly name: string;
  readonly version: number;
}

/** The server API over a real socket and a real store; only time stands still. */
export class ServerUnderTest {
  readonly #answers: AnswerCheck;

  private constructor(
    readonly core: Core,
    readonly api: ServerApi,
    private readonly server: Server,
    private readonly folder: string,
    readonly logged: readonly string[],
    readonly clock: HeldClock,
  ) {
    this.#answers = new AnswerCheck(api.routes);
  }

  /** @param over puts faults in front of the store */
  static async start(
    settings: Record<string, string> = {},
    over: (state: State) => State = (state) => state,
  ): Promise<ServerUnderTest> {
    const folder = await mkdtemp(join(tmpdir(), 'tandem-server-api-'));
    const logged: string[] = [];
    const clock = new HeldClock();
    const log = (message: string, fields?: object) => void logged.push(`${message} ${JSON.stringify(fields)}`);
    const logger = { error: log, warn: log, info: log, debug: log, debugEnabled: true };
    const metrics = new MetricsRegistry();
    const platform = { clock, random: systemRandom, logger, metrics };
    const state = await openEmbeddedState({
      folder,
      durability: 'process',
      backlogMax: 1_000,
      eventLogMax: 16,
      rpcMaxPending: Number(settings.TANDEM_RPC_MAX_PENDING ?? 3),
      rpcFinishedMax: Number(settings.TANDEM_RPC_FINISHED_MAX ?? 100),
      rateBucketsMax: 1_000,
      directoryMax: 10_000,
      telemetryKeysMax: 1_000,
      historyMaxAge: 0,
      historyMax: undefined,
      retentionInterval: 3_600_000,
      loginSubjectsMax: 1_000,
      minFreeBytes: 1,
      ...platform,
    });
    await state.materialiser.start();
    const core = makeCore(over(state), readSettings(settings), platform);
    await core.accounts.ensureTenantAdmin(ADMIN, PASSWORD, 'First');
    await core.accounts.ensureTenantAdmin(OTHER_ADMIN, PASSWORD, 'Second');
    await core.accounts.ensureSystemAdmin(SYSTEM_ADMIN, PASSWORD);
    const api = await createServerApi(core, '0.0.0');
    // As in the gateway: the router on plain requests, without an express application around it.
    const server = createServer((request, response) => {
      const next = () => void response.writeHead(418).end('passed on');
      api.router(request as express.Request, response as express.Response, next);
    });
    server.on('upgrade', (request, socket, head) => {
      if (api.webSockets.takes(request)) api.webSockets.upgrade(request, socket, head);
      else socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new ServerUnderTest(core, api, server, folder, logged, clock);
  }

  async stop(): Promise<void> {
    await this.api.close(0);
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
    await this.core.state.close();
    await rm(this.folder, { recursive: true });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Every success is held to what its route says it is. */
  async call(method: string, path: string, { token, body, headers, signal }: CallOptions = {}): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, {
      method,
      signal,
      redirect: 'manual',
      headers: {
        ...(token === undefined ? {} : { 'X-Authorization': `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      body: typeof body === 'object' ? JSON.stringify(body) : body,
    });
    const text = await response.text();
    this.#answers.check(method, path, { status: response.status, text });
    return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) };
  }

  async login(username = ADMIN): Promise<{ token: string; refreshToken: string }> {
    const answer = await this.call('POST', '/api/auth/login', { body: { username, password: PASSWORD } });
    if (answer.status !== 200) throw new Error(`login: ${answer.status} ${answer.text}`);
    return answer.json();
  }

  async createDevice(token: string, name: string): Promise<string> {
    const answer = await this.call('POST', '/api/device', { token, body: { name } });
    if (answer.status !== 200) throw new Error(`device: ${answer.status} ${answer.text}`);
    return answer.json<DeviceJson>().id.id;
  }

  /** As a transport sees the device. */
  async session(deviceId: string): Promise<DeviceSession> {
    const credentials = await this.core.state.devices.getCredentials(deviceId);
    return this.core.auth.resolve(credentials?.credentialsId ?? '');
  }

  /** An account beside those of the start, in the first tenant. */
  async addUser(email: string, change: Partial<User> = {}, given: Partial<UserCredentials> = {}): Promise<User> {
    const admin = await this.core.state.accounts.findUserByEmail(ADMIN);
    const user: User = {
      id: systemRandom.uuid(),
      createdTime: this.clock.now(),
      tenantId: admin?.tenantId ?? NULL_UUID,
      customerId: NULL_UUID,
      email,
      authority: 'CUSTOMER_USER',
      firstName: null,
      lastName: null,
      phone: null,
      additionalInfo: null,
      version: 1,
      ...change,
    };
    const credentials = { ...freshCredentials(user.id), passwordHash: await hashPassword(PASSWORD), ...given };
    await this.core.state.accounts.createUser(user, credentials);
    return user;
  }
}
