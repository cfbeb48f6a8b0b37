import type { Clock, Logger, MetricsRegistry, Millis, Random, TlsFiles, Watched } from '@tandem/core';
import type { DatagramReceiver, Destination, UdpSocket } from '../endpoint/index';
import { Cookies } from './cookies';
import { DtlsMetrics } from './dtls-metrics';
import type { CertificateChain, DtlsConnection, DtlsContext, DtlsEngine, HandshakePolicy } from './engine';
import { clientRandom, isClientHello, isOfHandshake, isRecord } from './records';
import { DtlsSession, type Handshake, type SessionEndReason } from './session';

export interface DtlsSettings {
  readonly ccm8: boolean;
  readonly psk: boolean;
  readonly mtu: number;
  readonly maxSessions: number;
  readonly maxHandshakes: number;
  readonly handshakeTimeout: Millis;
  /** Seconds; 0: sessions are not resumed. */
  readonly resumptionTime: number;
}

export interface DtlsSocketOptions {
  /** The datagrams come and go here. Belongs to the socket of sessions from now on. */
  readonly socket: UdpSocket;
  readonly engine: DtlsEngine;
  readonly files: Watched<TlsFiles>;
  readonly settings: DtlsSettings;
  readonly acceptsCertificates: (chain: CertificateChain) => boolean;
  readonly preSharedKey: (identity: string) => Buffer | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
}

/** What is at one address and port: a session, a handshake that may become the next one, or both. */
interface Place {
  session: DtlsSession | undefined;
  handshake: Handshake | undefined;
}

/**
 * DTLS 1.2 under the CoAP endpoint: takes datagrams apart by address, runs handshakes, and hands over what is in sessions.
 * Nothing is remembered of who has not proved its address, and an open session goes on until a new one at its address has
 * proved itself as well (RFC 6347 section 4.2.8).
 */
export class DtlsSocket implements UdpSocket {
  readonly #options: DtlsSocketOptions;
  readonly #places = new Map<string, Place>();
  readonly #cookies: Cookies;
  readonly #ticketKeys: Buffer;
  readonly #metrics: DtlsMetrics;
  readonly #policy: HandshakePolicy;
  readonly #stopWatching: () => void;
  #context: DtlsContext;
  /** Answers everybody without a cookie, and becomes the session of who has one. */
  #listener: DtlsConnection;
  #sessions = 0;
  #handshakes = 0;
  #receiver: DatagramReceiver = () => {};
  #ended: (session: DtlsSession) => void = () => {};
  #closed = false;

  /** @throws Error in one line when the certificate or key of the server is none */
  constructor(options: DtlsSocketOptions) {
    const { clock, random, metrics, files, socket } = options;
    this.#options = options;
    this.#cookies = new Cookies(random, () => clock.monotonic());
    this.#ticketKeys = random.bytes(80);
    this.#policy = {
      cookie: (peer) => this.#cookies.of(peer),
      isCookie: (peer, cookie) => this.#cookies.isOf(peer, cookie),
      acceptsCertificates: options.acceptsCertificates,
      preSharedKey: options.preSharedKey,
    };
    this.#context = this.#createContext(files.current);
    this.#listener = this.#context.createConnection();
    this.#metrics = new DtlsMetrics(metrics, { sessions: () => this.#sessions, handshakes: () => this.#handshakes });
    this.#stopWatching = files.onChange((current) => this.#reload(current));
    socket.receive((datagram, address, port) => this.#receive(datagram, address, port));
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

  onSessionEnd(listener: (session: DtlsSession) => void): void {
    this.#ended = listener;
  }

  /** What is for a session that has ended goes nowhere: its address may be somebody else's by now. */
  send(datagram: Buffer, { session }: Destination): void {
    if (!(session instanceof DtlsSession) || session.ended) return;
    if (session.connection.send(datagram)) this.#drain(session);
    else this.#end(session, 'broken');
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopWatching();
    for (const { session, handshake } of [...this.#places.values()]) {
      if (handshake) this.#abandon(handshake);
      if (session) this.#end(session, 'shutdown');
    }
    this.#listener.free();
    this.#context.free();
    await this.#options.socket.close();
  }

  #createContext(files: TlsFiles): DtlsContext {
    const { engine, settings } = this.#options;
    return engine.createContext({ ...files, ...settings, ticketKeys: this.#ticketKeys, policy: this.#policy });
  }

  /** Sessions and handshakes go on with what they began with. */
  #reload(files: TlsFiles): void {
    let context: DtlsContext;
    try {
      context = this.#createContext(files);
    } catch (error) {
      this.#options.logger.error('CoAP over DTLS goes on with its former certificate', {
        error: (error as Error).message,
      });
      return;
    }
    this.#listener.free();
    this.#context.free();
    this.#context = context;
    this.#listener = context.createConnection();
  }

  #receive(datagram: Buffer, address: string, port: number): void {
    try {
      this.#route(datagram, address, port);
    } catch (error) {
      // Whatever it is: one datagram must not take the process with it.
      this.#options.logger.error('a DTLS datagram could not be processed', {
        error: error instanceof Error ? error.stack : error,
      });
    }
  }

  #route(datagram: Buffer, address: string, port: number): void {
    if (this.#closed) return;
    if (!isRecord(datagram)) {
      this.#metrics.dropped('no_record');
      return;
    }
    const key = keyOf(address, port);
    const place = this.#places.get(key);
    if (isClientHello(datagram)) {
      if (place?.handshake && place.handshake.random === clientRandom(datagram)) this.#step(place.handshake, datagram);
      else this.#hello(datagram, address, port, key);
      return;
    }
    if (place?.handshake && (place.session === undefined || isOfHandshake(datagram))) {
      this.#step(place.handshake, datagram);
    } else if (place?.session) this.#deliver(place.session, datagram);
    else this.#metrics.dropped('no_session');
  }

  #hello(datagram: Buffer, address: string, port: number, key: string): void {
    const { socket, clock, settings } = this.#options;
    const listener = this.#listener;
    const outcome = listener.listen(key, datagram);
    if (outcome === 'unproved') {
      this.#metrics.cookies.add();
      listener.drain((answer) => socket.send(answer, { address, port, session: undefined }));
      return;
    }
    this.#listener = this.#context.createConnection();
    if (outcome === 'failed' || this.#handshakes >= settings.maxHandshakes) {
      this.#metrics.dropped(outcome === 'failed' ? 'bad_hello' : 'handshakes');
      listener.free();
      return;
    }
    const place = this.#placeOf(key);
    // Whoever has proved the address last is there now.
    if (place.handshake) this.#abandon(place.handshake);
    const handshake: Handshake = {
      address,
      port,
      connection: listener,
      random: clientRandom(datagram),
      retransmission: undefined,
      deadline: clock.setTimer(settings.handshakeTimeout, () => this.#fail(handshake)),
    };
    this.#placeOf(key).handshake = handshake;
    this.#handshakes++;
    this.#step(handshake);
  }

  #step(handshake: Handshake, datagram?: Buffer): void {
    const { socket } = this.#options;
    const outcome = handshake.connection.handshake(datagram);
    handshake.connection.drain((flight) => socket.send(flight, { ...handshake, session: undefined }));
    if (outcome === 'done') this.#open(handshake);
    else if (outcome === 'failed') this.#fail(handshake);
    else this.#waitFor(handshake);
  }

  #waitFor(handshake: Handshake): void {
    handshake.retransmission?.cancel();
    const wait = handshake.connection.retransmitIn();
    handshake.retransmission =
      wait === undefined ? undefined : this.#options.clock.setTimer(wait, () => this.#repeat(handshake));
  }

  #repeat(handshake: Handshake): void {
    handshake.retransmission = undefined;
    if (handshake.connection.retransmit()) this.#step(handshake);
    else this.#fail(handshake);
  }

  #open(handshake: Handshake): void {
    const { address, port, connection } = handshake;
    const place = this.#forget(handshake);
    if (place.session) this.#end(place.session, 'replaced');
    if (this.#sessions >= this.#options.settings.maxSessions) this.#evict();
    const session = new DtlsSession(
      address,
      port,
      connection.identity(),
      connection,
      this.#options.clock.monotonic(),
      (ended, reason) => this.#end(ended, reason),
    );
    this.#placeOf(keyOf(address, port)).session = session;
    this.#sessions++;
    this.#metrics.handshakes.add();
    // What came before the last message of the handshake is in it already.
    this.#deliver(session, undefined);
  }

  #fail(handshake: Handshake): void {
    this.#metrics.failures.add();
    this.#abandon(handshake);
  }

  #abandon(handshake: Handshake): void {
    this.#forget(handshake);
    handshake.connection.free();
  }

  #forget(handshake: Handshake): Place {
    const key = keyOf(handshake.address, handshake.port);
    const place = this.#placeOf(key);
    handshake.retransmission?.cancel();
    handshake.deadline.cancel();
    place.handshake = undefined;
    this.#handshakes--;
    if (!place.session) this.#places.delete(key);
    return place;
  }

  #deliver(session: DtlsSession, datagram: Buffer | undefined): void {
    const { address, port } = session;
    session.lastHeard = this.#options.clock.monotonic();
    const open = session.connection.receive(datagram, (message) => {
      if (!session.ended) this.#receiver(message, address, port, session);
    });
    if (session.ended) return;
    this.#drain(session);
    if (!open) this.#end(session, 'closed_by_peer');
  }

  #end(session: DtlsSession, reason: SessionEndReason): void {
    if (session.ended) return;
    session.ended = true;
    this.#sessions--;
    this.#metrics.ended(reason);
    const key = keyOf(session.address, session.port);
    const place = this.#placeOf(key);
    place.session = undefined;
    if (!place.handshake) this.#places.delete(key);
    session.connection.close();
    this.#drain(session);
    // Not while it is in the middle of a call.
    setImmediate(() => session.connection.free());
    this.#ended(session);
  }

  /** Makes room: the one that was silent for longest has to make another session when it comes back. */
  #evict(): void {
    let silent: DtlsSession | undefined;
    for (const { session } of this.#places.values()) {
      if (session && (silent === undefined || session.lastHeard < silent.lastHeard)) silent = session;
    }
    if (silent) this.#end(silent, 'evicted');
  }

  #drain({ connection, address, port }: DtlsSession): void {
    connection.drain((datagram) => this.#options.socket.send(datagram, { address, port, session: undefined }));
  }

  #placeOf(key: string): Place {
    let place = this.#places.get(key);
    if (place === undefined) {
      place = { session: undefined, handshake: undefined };
      this.#places.set(key, place);
    }
    return place;
  }
}

const keyOf = (address: string, port: number): string => `${address}|${port}`;
