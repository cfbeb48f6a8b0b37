import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  type Core,
  type Counter,
  type LabelValue,
  limitedAs,
  type MetricsRegistry,
  type Millis,
  MultiMap,
  TandemError,
  type Timer,
  type User,
  type Uuid,
} from '@tandem/core';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Authenticator } from '../auth/authenticator';
import { CallerAddresses } from '../http/caller-address';
import { errorReply } from '../http/error-reply';
import { pathOf } from '../http/path';
import { CLOSE } from './close-codes';
import { Counts } from './counts';
import { credentialsOf, tokenInUrl } from './credentials';
import { Reviews } from './reviews';
import { Session, type SessionHost } from './session';
import { Strangers } from './strangers';
import type { Subscribed, SubscriptionIndex } from './subscriptions';

export interface WebSocketApi {
  /** Whether a request that asks for a WebSocket gets one; every other one is a request like any other. */
  takes(request: IncomingMessage): boolean;
  /** For a request that is taken. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /**
   * Closes all sessions, and opens no more. Resolves when all connections have ended.
   * @param patience how long clients may take to answer
   */
  close(patience: Millis): Promise<void>;
}

/** How often every session is looked at, whether or not anything of it was said to have changed. */
const REVIEW_INTERVAL: Millis = 60_000;
const PINGS = 3;
const PLUGINS = '/api/ws/plugins/';
const RETRY_AFTER: Millis = 5_000;
/** Of the protocol (RFC 6455). */
const VERSION = 13;

/** The WebSocket API of server contract 10. */
export function createWebSocketApi(core: Core, authenticator: Authenticator): WebSocketApi {
  return new Sessions(core, authenticator);
}

class Sessions implements WebSocketApi, SessionHost {
  readonly #server: WebSocketServer;
  readonly #sessions = new Set<Session>();
  /** Those of them that have not been admitted. */
  readonly #strangers: Strangers<Session>;
  readonly #addresses: CallerAddresses;
  /** Callers whose token is checked before they get a session. */
  #checking = 0;
  readonly #byTenant = new Counts();
  readonly #byUser = new Counts();
  readonly #byDevice = new MultiMap<Uuid, Subscribed>();
  readonly #reviews: Reviews;
  readonly #slow: { add(): void };
  readonly #full: Readonly<Record<Limit, Counter>>;
  readonly #off: (() => void)[];
  readonly subscriptions: SubscriptionIndex = {
    isFull: () => this.#byDevice.count >= this.core.settings.TANDEM_WS_MAX_SUBSCRIPTIONS,
    add: (subscribed: Subscribed) => this.#byDevice.add(subscribed.deviceId, subscribed),
    refused: (by) => this.#full[by].add(),
    remove: (subscribed: Subscribed) => void this.#byDevice.delete(subscribed.deviceId, subscribed),
  };
  #pinging: Timer;
  #reviewing: Timer;
  #closing = false;
  #whenEmpty = () => {};

  constructor(
    readonly core: Core,
    private readonly authenticator: Authenticator,
  ) {
    const { settings, state, metrics, clock, logger } = core;
    this.#reviews = new Reviews(clock, logger);
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: settings.TANDEM_WS_MAX_MESSAGE,
      // A compressed connection costs some 300 kB; and what is sent is short.
      perMessageDeflate: false,
    });
    this.#server.on('wsClientError', ({ message }, socket, { method }) => {
      this.#refuse(socket, new TandemError(method === 'GET' ? 'BAD_REQUEST' : 'METHOD_NOT_ALLOWED', { message }), [
        `Sec-WebSocket-Version: ${VERSION}`,
      ]);
    });
    this.#strangers = new Strangers(settings.TANDEM_WS_MAX_STRANGERS, settings.TANDEM_WS_MAX_STRANGERS_PER_ADDRESS);
    this.#addresses = new CallerAddresses(core.callers);
    this.#off = [
      state.accounts.onAccountChange((change) => {
        this.#reviews.add(
          [...this.#sessions].filter(({ user }) => {
            if (change.kind === 'missed') return true;
            return change.kind === 'user' ? user?.id === change.userId : user?.customerId === change.customerId;
          }),
        );
      }),
      state.devices.onSessionChange((change) => {
        if (change.kind === 'device') this.#reviews.add(this.#byDevice.of(change.deviceId));
        if (change.kind === 'missed') for (const id of this.#byDevice.keys()) this.#reviews.add(this.#byDevice.of(id));
      }),
    ];
    this.#pinging = this.#pingLater();
    this.#reviewing = this.#reviewLater();
    metrics.gauge('tandem_ws_sessions', () => this.#sessions.size);
    metrics.gauge('tandem_ws_strangers', () => this.#strangers.size);
    metrics.gauge('tandem_ws_subscriptions', () => this.#byDevice.count);
    metrics.gauge('tandem_ws_reviews', () => this.#reviews.due);
    this.#slow = metrics.counter('tandem_ws_slow_total');
    this.#full = limitCounters(metrics);
  }

  takes(request: IncomingMessage): boolean {
    const path = pathOf(request.url ?? '');
    return path === '/api/ws' || path.startsWith(PLUGINS);
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Whoever is refused may be gone by now.
    socket.on('error', () => {});
    const address = this.#addresses.of(request);
    const full = this.#strangers.fullBy(address);
    if (full) void this.#upgradeKnown(request, socket, head, address, full);
    else this.#upgrade(request, socket, head, address);
  }

  /** Those who can say at once who they are come in past all strangers. */
  async #upgradeKnown(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    address: string,
    full: Limit,
  ): Promise<void> {
    const token = tokenInUrl(request.url ?? '');
    if (token === undefined || this.#checking >= this.core.settings.TANDEM_WS_MAX_STRANGERS) {
      this.#refuseFull(socket, full);
      return;
    }
    this.#checking++;
    try {
      await this.credentials(token).check();
      this.#upgrade(request, socket, head, address);
    } catch {
      this.#refuseFull(socket, full);
    } finally {
      this.#checking--;
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, address: string): void {
    if (this.#closing) {
      this.#refuse(socket, new TandemError('SHUTTING_DOWN', { retryAfter: RETRY_AFTER }));
    } else if (this.#sessions.size >= this.core.settings.TANDEM_WS_MAX_SESSIONS) {
      this.#refuseFull(socket, 'all');
    } else {
      this.#server.handleUpgrade(request, socket, head, (webSocket) => {
        this.#open(webSocket, request.url ?? '', address);
      });
    }
  }

  #open(webSocket: WebSocket, url: string, address: string): void {
    const path = pathOf(url);
    const session = new Session(webSocket, path === '/api/ws' ? 'typed' : 'telemetry', this);
    this.#sessions.add(session);
    this.#strangers.add(session, address);
    // It counts until its connection has ended: whoever was sent away may stay as long as others who are strangers.
    if (path === '/api/ws' || path === `${PLUGINS}telemetry`) session.begin(tokenInUrl(url));
    else session.close(CLOSE.BAD_DATA, "Can't find plugin with specified token!");
  }

  async close(patience: Millis): Promise<void> {
    this.#closing = true;
    for (const off of this.#off) off();
    this.#pinging.cancel();
    this.#reviewing.cancel();
    this.#reviews.clear();
    for (const session of this.#sessions) session.close(CLOSE.GOING_AWAY, 'The gateway is shutting down');
    if (this.#sessions.size === 0) return;
    const late = this.core.clock.setTimer(patience, () => {
      for (const session of this.#sessions) session.cut();
    });
    await new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
    late.cancel();
  }

  credentials(token: string) {
    return credentialsOf(this.authenticator, token);
  }

  admit(session: Session, user: User): string | undefined {
    const { TANDEM_WS_MAX_SESSIONS_PER_TENANT: ofTenant, TANDEM_WS_MAX_SESSIONS_PER_USER: ofUser } = this.core.settings;
    const full = this.#byTenant.of(user.tenantId) >= ofTenant ? 'tenant' : undefined;
    const refused = full ?? (this.#byUser.of(limitedAs(user)) >= ofUser ? 'user' : undefined);
    if (refused) {
      this.#full[refused].add();
      return `Max ${refused} sessions limit reached!`;
    }
    this.#strangers.delete(session);
    this.#byTenant.add(user.tenantId, 1);
    this.#byUser.add(limitedAs(user), 1);
    return undefined;
  }

  left(session: Session, user: User | undefined): void {
    if (user) {
      this.#byTenant.add(user.tenantId, -1);
      this.#byUser.add(limitedAs(user), -1);
    }
    this.#strangers.delete(session);
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) this.#whenEmpty();
  }

  tooSlow(): void {
    this.#slow.add();
  }

  tooManyCommands(): void {
    this.#full.commands.add();
  }

  review(session: Session): void {
    this.#reviews.add([session]);
  }

  #pingLater(): Timer {
    const { clock, settings } = this.core;
    const timeout = settings.TB_SERVER_WS_PING_TIMEOUT;
    return clock.setTimer(timeout / PINGS, () => {
      for (const session of this.#sessions) session.ping(timeout);
      this.#pinging = this.#pingLater();
    });
  }

  #reviewLater(): Timer {
    return this.core.clock.setTimer(REVIEW_INTERVAL, () => {
      this.#reviews.add(this.#sessions);
      this.#reviewing = this.#reviewLater();
    });
  }

  #refuseFull(socket: Duplex, limit: Limit): void {
    this.#full[limit].add();
    const message = 'There are too many WebSocket sessions';
    this.#refuse(socket, new TandemError('TOO_MANY_REQUESTS', { message, retryAfter: RETRY_AFTER }));
  }

  #refuse(socket: Duplex, error: TandemError, headers: readonly string[] = []): void {
    const { status, contentType, body } = errorReply(error, this.core.clock.now());
    const text = String(body);
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'Connection: close',
      `Content-Type: ${contentType}`,
      `Content-Length: ${Buffer.byteLength(text)}`,
      ...headers,
    ];
    if (error.retryAfter !== undefined) head.push(`Retry-After: ${Math.ceil(error.retryAfter / 1_000)}`);
    // What else the client sends is not read any more.
    socket.once('finish', () => socket.destroy());
    socket.end(`${head.join('\r\n')}\r\n\r\n${text}`);
  }
}

type Limit = keyof ReturnType<typeof limitCounters>;

function limitCounters(metrics: MetricsRegistry) {
  const counter = (limit: LabelValue<'tandem_limit_hits_total', 'limit'>) =>
    metrics.counter('tandem_limit_hits_total', { limit });
  return {
    all: counter('TANDEM_WS_MAX_SESSIONS'),
    strangers: counter('TANDEM_WS_MAX_STRANGERS'),
    strangersOfAddress: counter('TANDEM_WS_MAX_STRANGERS_PER_ADDRESS'),
    tenant: counter('TANDEM_WS_MAX_SESSIONS_PER_TENANT'),
    user: counter('TANDEM_WS_MAX_SESSIONS_PER_USER'),
    subscriptions: counter('TANDEM_WS_MAX_SUBSCRIPTIONS'),
    subscriptionsOfSession: counter('TANDEM_WS_MAX_SUBSCRIPTIONS_PER_SESSION'),
    commands: counter('TANDEM_WS_MAX_COMMANDS'),
  };
}
