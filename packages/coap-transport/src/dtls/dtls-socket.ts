import {
  type Clock,
  type Logger,
  type MetricsRegistry,
  type Millis,
  quietLogger,
  type Random,
  type TlsFiles,
  type Watched,
} from '@tandem/core';
import { type DatagramReceiver, type Destination, isNobody, SourceLimit, type UdpSocket } from '../endpoint/index';
import { Believed } from './believed';
import { COOKIE_LIFETIME, Cookies } from './cookies';
import { DtlsMetrics } from './dtls-metrics';
import type { DtlsConnection, DtlsContext, DtlsEngine, HandshakePolicy, PeerIdentity } from './engine';
import { Handshakes, type HandshakesSettings, type Prepare } from './handshakes';
import { clientRandom, isClientHello, isOfHandshake, isRecord } from './records';
import { SeenHellos } from './seen-hellos';
import { DtlsSession, type DtlsSessionPorts, type Handshake } from './session';
import { Sessions, type SessionsSettings } from './sessions';
import type { TicketKeys } from './ticket-keys';

export interface DtlsSettings extends SessionsSettings, HandshakesSettings {
  readonly ccm8: boolean;
  readonly psk: boolean;
  /** Whether certificates of clients are taken that are not valid now. */
  readonly skipValidity: boolean;
  readonly mtu: number;
  /** Seconds; 0: sessions are not resumed. */
  readonly resumptionTime: number;
  /** See `SourceSettings`; of whatever kind they are. */
  readonly sourceDatagrams: number;
  readonly maxSources: number;
}

export interface DtlsSocketOptions {
  /** The datagrams come and go here. Belongs to the socket of sessions from now on. */
  readonly socket: UdpSocket;
  readonly engine: DtlsEngine;
  readonly files: Watched<TlsFiles>;
  readonly settings: DtlsSettings;
  readonly ticketKeys: TicketKeys;
  readonly certificates: Pick<HandshakePolicy, 'acceptsCertificates' | 'stillAccepts'>;
  /** Whoever is locked out makes no handshake. Addresses are as they are on datagrams. */
  readonly guard?: { isLocked(address: string): boolean; failed(address: string): void };
  readonly prepare?: Prepare;
  /** Told of each session once its handshake is done. */
  readonly opened?: (session: DtlsSession) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
  /** Runs a function after the I/O that is waiting; `setImmediate` but in tests. */
  readonly soon?: (run: () => void) => void;
}

/** Of each address, why its handshakes fail. */
const SAID_EVERY: Millis = 10_000;
/** ClientHellos remembered for each handshake there may be at once: as many as can be worked off while a cookie is good. */
const HELLOS_PER_HANDSHAKE = 128;

/**
 * DTLS 1.2 under the CoAP endpoint: takes datagrams apart by address, runs handshakes, and hands over what is in sessions.
 * Nothing is remembered of who has not proved its address, and an open session goes on until a new one at its address has
 * proved itself as well (RFC 6347 section 4.2.8).
 */
export class DtlsSocket implements UdpSocket {
  readonly #options: DtlsSocketOptions;
  readonly #sessions: Sessions;
  readonly #handshakes: Handshakes;
  readonly #seen: SeenHellos;
  readonly #sources: SourceLimit;
  readonly #metrics: DtlsMetrics;
  readonly #policy: HandshakePolicy;
  readonly #stopWatching: () => void;
  readonly #believed: Believed;
  readonly #ofSessions: DtlsSessionPorts;
  #context: DtlsContext;
  /** Answers everybody without a cookie, and becomes the session of who has one. */
  #listener: DtlsConnection;
  #receiver: DatagramReceiver = () => {};
  #ending: (session: DtlsSession) => void = () => {};
  #ended: (session: DtlsSession) => void = () => {};
  #closing: Promise<void> | undefined;

  /** @throws Error in one line when the certificate or key of the server is none */
  constructor(options: DtlsSocketOptions) {
    const { clock, random, files, socket, settings, ticketKeys, certificates, logger } = options;
    const now = () => clock.monotonic();
    const cookies = new Cookies(random, now);
    this.#options = options;
    this.#seen = new SeenHellos(HELLOS_PER_HANDSHAKE * settings.maxHandshakes, COOKIE_LIFETIME, now);
    this.#sources = new SourceLimit(settings.sourceDatagrams, settings.maxSources);
    this.#policy = {
      cookie: (peer) => cookies.of(peer),
      isCookie: (peer, cookie) => cookies.isOf(peer, cookie),
      acceptsCertificates: (chain) => certificates.acceptsCertificates(chain),
      stillAccepts: (accepted) => certificates.stillAccepts(accepted),
      ticketKey: () => ticketKeys.current,
      ticketKeyNamed: (name) => ticketKeys.named(name),
    };
    this.#believed = new Believed(files.current.clientTrust);
    this.#context = this.#createContext(files.current);
    this.#listener = this.#context.createConnection();
    const soon = options.soon ?? ((run) => void setImmediate(run));
    const metrics = new DtlsMetrics(options.metrics, {
      sessions: () => this.#sessions.size,
      strangers: () => this.#sessions.strangers,
      handshakes: () => this.#handshakes.size,
      waiting: () => this.#handshakes.waiting,
      hellos: () => this.#seen.size,
      sources: () => this.#sources.size,
    });
    this.#metrics = metrics;
    const { stillAccepts } = this.#policy;
    this.#sessions = new Sessions({
      settings,
      clock,
      soon,
      metrics,
      stillAccepts,
      ended: (session) => this.#ended(session),
    });
    this.#handshakes = new Handshakes({
      settings,
      clock,
      soon,
      logger: quietLogger(logger, clock, SAID_EVERY, ['address', 'reason']),
      metrics,
      prepare: options.prepare,
      guard: (run) => this.#guard(run),
      send: ({ address, port }, datagram) => socket.send(datagram, { address, port, session: undefined }),
      opened: (handshake) => this.#open(handshake),
      refused: ({ address }) => options.guard?.failed(address),
      forgotten: ({ key, random }) => this.#seen.forget(key + random),
    });
    this.#ofSessions = {
      known: (session) => this.#sessions.known(session),
      received: (session, message) => this.#received(session, message),
      send: ({ address, port }, datagram) => socket.send(datagram, { address, port, session: undefined }),
      end: (session, reason) => {
        if (!session.ended) this.#ending(session);
        this.#sessions.end(session, reason);
      },
    };
    this.#stopWatching = files.onChange((current) => this.#reload(current));
    socket.receive((datagram, address, port) => this.#guard(() => this.#route(datagram, address, port)));
  }

  get local(): UdpSocket['local'] {
    return this.#options.socket.local;
  }

  isSelf(address: string, port: number): boolean {
    return this.#options.socket.isSelf(address, port);
  }

  receive(receiver: DatagramReceiver): void {
    this.#receiver = receiver;
  }

  onSessionEnding(listener: (session: DtlsSession) => void): void {
    this.#ending = listener;
  }

  onSessionEnd(listener: (session: DtlsSession) => void): void {
    this.#ended = listener;
  }

  /** What is for a session that has ended goes nowhere: its address may be somebody else's by now. */
  send(datagram: Buffer, { session }: Destination): void {
    if (!(session instanceof DtlsSession) || session.ended) return;
    if (session.connection.send(datagram)) session.connection.drain(session.outgoing);
    else this.#sessions.end(session, 'broken');
  }

  /** Tells every peer. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    this.#stopWatching();
    this.#handshakes.close();
    await this.#sessions.close();
    this.#listener.free();
    this.#context.free();
    await this.#options.socket.close();
  }

  #createContext(files: TlsFiles): DtlsContext {
    const { engine, settings } = this.#options;
    return engine.createContext({ ...files, ...settings, policy: this.#policy });
  }

  /** Sessions and handshakes go on with what they began with, as long as it is not another one by whom clients are believed. */
  #reload(files: TlsFiles): void {
    let context: DtlsContext | undefined;
    let listener: DtlsConnection;
    try {
      context = this.#createContext(files);
      listener = context.createConnection();
    } catch (error) {
      context?.free();
      this.#options.logger.error('CoAP over DTLS goes on with its former certificate', {
        error: (error as Error).message,
      });
      return;
    }
    this.#listener.free();
    this.#context.free();
    this.#context = context;
    this.#listener = listener;
    if (!this.#believed.change(files.clientTrust)) return;
    this.#sessions.endAll('revoked', (session) => !this.#believed.stillHolds(session, session.generation));
  }

  /** Whatever it is: one datagram must not take the process with it. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#options.logger.error('a DTLS datagram could not be processed', {
        error: error instanceof Error ? error.stack : error,
      });
    }
  }

  #route(datagram: Buffer, address: string, port: number): void {
    if (this.#closing !== undefined) return;
    if (!this.#sources.take(address, this.#options.clock.monotonic())) {
      this.#metrics.dropped('source_datagrams');
      return;
    }
    if (!isRecord(datagram)) {
      this.#metrics.dropped('no_record');
      return;
    }
    const key = keyOf(address, port);
    const handshake = this.#handshakes.at(key);
    if (isClientHello(datagram)) {
      this.#hello(datagram, address, port, key, handshake);
      return;
    }
    const session = this.#sessions.at(key);
    if (handshake && (session === undefined || isOfHandshake(datagram))) {
      this.#handshakes.enqueue(handshake, datagram);
    } else if (session) {
      const outcome = this.#sessions.deliver(session, datagram);
      // It may be for the session to be: it came before the end of the handshake.
      if (outcome === 'nothing' && handshake) this.#handshakes.enqueue(handshake, datagram);
    } else {
      this.#metrics.dropped('no_session');
    }
  }

  #hello(datagram: Buffer, address: string, port: number, key: string, underWay: Handshake | undefined): void {
    const { socket } = this.#options;
    const random = clientRandom(datagram);
    if (underWay?.random === random) {
      this.#handshakes.enqueue(underWay, datagram);
      return;
    }
    if (this.#seen.has(key + random)) {
      this.#metrics.dropped('repeated_hello');
      return;
    }
    if (port === 0 || isNobody(address) || socket.isSelf(address, port)) {
      this.#metrics.dropped('no_address');
      return;
    }
    if (this.#options.guard?.isLocked(address)) {
      this.#metrics.dropped('locked');
      return;
    }
    const connection = this.#listener;
    const outcome = connection.listen(key, datagram);
    if (outcome === 'unproved') {
      connection.drain((answer) => {
        this.#metrics.cookies.add();
        socket.send(answer, { address, port, session: undefined });
      });
      return;
    }
    this.#listener = this.#context.createConnection();
    if (outcome === 'failed') {
      this.#metrics.dropped('bad_hello');
      connection.free();
      return;
    }
    this.#handshakes.begin({ address, port, connection, random, key, generation: this.#believed.generation });
    this.#seen.add(key + random);
  }

  #open({ address, port, connection, key, generation, inbox }: Handshake): void {
    let identity: PeerIdentity;
    try {
      identity = connection.identity();
    } catch (error) {
      connection.free();
      throw error;
    }
    const session = new DtlsSession(
      address,
      port,
      identity,
      connection,
      this.#options.clock.monotonic(),
      this.#ofSessions,
    );
    session.generation = generation;
    this.#sessions.add(session, key);
    this.#metrics.opened(identity.resumed);
    if (!this.#believed.stillHolds(session, generation)) {
      this.#sessions.end(session, 'revoked');
      return;
    }
    this.#options.opened?.(session);
    // What came before the last message of the handshake is in it already, or waits.
    this.#sessions.deliver(session, undefined);
    for (const datagram of inbox.splice(0)) if (!session.ended) this.#sessions.deliver(session, datagram);
  }

  #received(session: DtlsSession, message: Buffer): void {
    if (this.#sessions.heard(session)) this.#receiver(message, session.address, session.port, session);
  }
}

const keyOf = (address: string, port: number): string => `${address}|${port}`;
