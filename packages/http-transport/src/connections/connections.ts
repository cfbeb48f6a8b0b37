import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  type Callers,
  type Clock,
  type Counter,
  type LabelValue,
  type MetricsRegistry,
  type Millis,
  parseIpAddress,
  type Timer,
} from '@tandem/core';
import { BodyPace, type BodyRate } from './body-pace';
import { Connection } from './connection';

export interface ConnectionLimits {
  /** All connections. */
  readonly max: number;
  /** Those of one address, trusted proxies aside; 0 is no limit. */
  readonly maxPerAddress: number;
  /** Requests on one connection that wait for their answers. */
  readonly maxPipelined: number;
  readonly bodyRate: BodyRate;
  /** How long a client may take nothing of its answer. */
  readonly readTimeout: Millis;
  /** How often they are looked at. */
  readonly checkInterval: Millis;
}

/** How many are looked at for an idle one: a flood of connections must not cost a look at all of them each. */
const PROBES = 1_000;

/**
 * Lets connections in, and ends those whose clients hold them for nothing: senders and readers that are too slow. By one look at
 * all of them now and then, and no timer for each: a request costs next to nothing.
 */
export class Connections {
  readonly #open = new Set<Connection>();
  readonly #ofAddress = new Map<string, number>();
  #probe: IterableIterator<Connection> = this.#open.values();
  #watch: Timer | undefined;
  readonly #closed: Readonly<Record<LabelValue<'tandem_http_connections_closed_total', 'reason'>, Counter>>;
  readonly #tooMany: Counter;
  readonly #tooManyOfAddress: Counter;
  readonly #overrun: Counter;

  constructor(
    private readonly server: Server,
    private readonly limits: ConnectionLimits,
    private readonly clock: Clock,
    private readonly callers: Pick<Callers, 'addressOf' | 'isTrusted'>,
    metrics: MetricsRegistry,
  ) {
    metrics.gauge('tandem_http_connections', () => this.#open.size);
    this.#closed = metrics.counters('tandem_http_connections_closed_total', 'reason');
    this.#tooMany = metrics.counter('tandem_limit_hits_total', { limit: 'TANDEM_HTTP_MAX_CONNECTIONS' });
    this.#tooManyOfAddress = metrics.counter('tandem_limit_hits_total', {
      limit: 'TANDEM_HTTP_MAX_CONNECTIONS_PER_ADDRESS',
    });
    this.#overrun = metrics.counter('tandem_limit_hits_total', { limit: 'TANDEM_HTTP_MAX_PIPELINED' });
    this.#standInFront();
    server.on('timeout', (socket) => this.#timedOut(socket));
    server.on('listening', () => this.#watchLater());
    server.on('close', () => this.#watch?.cancel());
  }

  /** @returns false when the request is not to be served: its connection is gone, or what came before it was the last (RFC 9112 section 9.6) */
  begin(request: IncomingMessage, response: ServerResponse): boolean {
    const { socket } = request;
    // Of what has been read already Node makes requests also when the connection has been closed.
    if (socket.destroyed) return false;
    const connection = Connection.of(socket);
    if (connection?.response?.shouldKeepAlive === false) return false;
    if (!connection || connection.begin(request, response, this.limits.maxPipelined) <= this.limits.maxPipelined)
      return true;
    this.#overrun.add();
    socket.destroy();
    return false;
  }

  /** The newest request, as long as it has not been answered. */
  latest(socket: Duplex): { readonly request: IncomingMessage; readonly response: ServerResponse } | undefined {
    const { request, response } = Connection.of(socket) ?? {};
    return request && response && !response.writableFinished ? { request, response } : undefined;
  }

  /** Whether everything asked on this connection has been answered. */
  isAnswered(socket: Socket): boolean {
    return Connection.of(socket)?.answered ?? true;
  }

  /** Its connection speaks another protocol from now on. */
  upgraded(socket: Socket): void {
    const connection = Connection.of(socket);
    if (connection) connection.upgraded = true;
  }

  /** What is refused is seen by nobody else: neither HTTP nor TLS is begun on it, and none of them is left with a closed connection. */
  #standInFront(): void {
    const { server } = this;
    const behind = server.listeners('connection');
    server.removeAllListeners('connection');
    server.on('connection', (socket) => {
      if (!this.#admits(socket)) return;
      for (const listener of behind) listener.call(server, socket);
    });
  }

  #admits(socket: Socket): boolean {
    const address = this.#limitedAddress(socket);
    const ofAddress = address === undefined ? 0 : (this.#ofAddress.get(address) ?? 0);
    if (ofAddress > 0 && ofAddress >= this.limits.maxPerAddress) {
      this.#refuse(socket, this.#tooManyOfAddress);
      return false;
    }
    if (this.#open.size >= this.limits.max && !this.#makeRoom()) {
      this.#refuse(socket, this.#tooMany);
      return false;
    }
    const connection = new Connection(socket, this.clock.monotonic());
    this.#open.add(connection);
    if (address !== undefined) this.#ofAddress.set(address, ofAddress + 1);
    socket.once('close', () => {
      this.#open.delete(connection);
      if (address !== undefined) this.#leave(address);
    });
    return true;
  }

  /** Undefined where the address has no limit. */
  #limitedAddress({ remoteAddress = '' }: Socket): string | undefined {
    if (this.limits.maxPerAddress === 0) return undefined;
    const address = parseIpAddress(remoteAddress);
    if (address === undefined || this.callers.isTrusted(address)) return undefined;
    return this.callers.addressOf({ remoteAddress, forwardedFor: '' });
  }

  #leave(address: string): void {
    const left = (this.#ofAddress.get(address) ?? 0) - 1;
    if (left > 0) this.#ofAddress.set(address, left);
    else this.#ofAddress.delete(address);
  }

  #refuse(socket: Socket, limit: Counter): void {
    limit.add();
    socket.destroy();
  }

  /** Goes on where it stopped the last time, and so gets round in the end however many there are. */
  #makeRoom(): boolean {
    const now = this.clock.monotonic();
    for (let probes = Math.min(PROBES, this.#open.size); probes > 0; probes--) {
      let next = this.#probe.next();
      if (next.done) {
        this.#probe = this.#open.values();
        next = this.#probe.next();
      }
      const connection = next.value;
      if (!connection?.isIdle(now)) continue;
      this.#closed.evicted.add();
      // At once, and not with its `close`: others may come before that.
      this.#open.delete(connection);
      connection.socket.destroy();
      return true;
    }
    return false;
  }

  #watchLater(): void {
    this.#watch = this.clock.setTimer(this.limits.checkInterval, () => {
      const now = this.clock.monotonic();
      for (const connection of this.#open) this.#look(connection, now);
      this.#watchLater();
    });
  }

  #look(connection: Connection, now: Millis): void {
    const { socket, request, upgraded } = connection;
    if (upgraded || socket.destroyed) return;
    if (request && !request.complete) this.#lookAtBody(connection, request, now);
    else connection.pace = undefined;
    // From here on it is Node that watches whether the system takes something of it. Downloads have a limit of their own.
    if (socket.writableLength > 0 && !socket.timeout) socket.setTimeout(this.limits.readTimeout);
  }

  #lookAtBody(connection: Connection, request: IncomingMessage, now: Millis): void {
    const { bodyRate } = this.limits;
    const { socket, response } = connection;
    if (bodyRate.min === 0 || socket.writableEnded) return;
    // It has its answer, after which the connection ends: that may wait for others before it.
    if (response?.headersSent && !response.shouldKeepAlive) return;
    if (connection.pace?.of !== request) {
      connection.pace = { of: request, body: new BodyPace(bodyRate, now, socket.bytesRead) };
    }
    const { body } = connection.pace;
    // Nobody reads: who sends it is to be known first, or what came before it is still being worked off.
    if (request.readableFlowing !== true) {
      body.pause(now);
      return;
    }
    if (body.keeps(now, socket.bytesRead)) return;
    this.#closed.slow_sender.add();
    // As Node says it of requests that do not arrive in time.
    const tooSlow = Object.assign(new Error('The body comes too slowly'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
    this.server.emit('clientError', tooSlow, socket);
  }

  /** Node's time without a request is over, or that to read an answer; on a connection that waits for the gateway neither is. */
  #timedOut(socket: Socket): void {
    if (socket.destroyed) return;
    if (socket.writableLength > 0) {
      this.#closed.slow_reader.add();
      socket.destroy();
    } else if (Connection.of(socket)?.answered ?? true) {
      socket.destroy();
    } else {
      socket.setTimeout(0);
    }
  }
}
