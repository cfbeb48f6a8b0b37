import type { Clock, Logger, MetricsRegistry, Millis, Random, TlsFiles, Watched } from '@tandem/core';
import { type DatagramReceiver, type Destination, isNobody, sourceOf, type UdpSocket } from '../endpoint/index';
import { Believed } from './believed';
import { COOKIE_LIFETIME, Cookies } from './cookies';
import { DtlsMetrics, type HandshakeEndReason } from './dtls-metrics';
import type { DtlsConnection, DtlsContext, DtlsEngine, HandshakePolicy } from './engine';
import { clientRandom, isApplicationData, isClientHello, isOfHandshake, isRecord } from './records';
import { Roster } from './roster';
import { SeenHellos } from './seen-hellos';
import { DtlsSession, type Handshake, type SessionEndReason } from './session';
import type { TicketKeys } from './ticket-keys';
import { Turns } from './turns';

export interface DtlsSettings {
  readonly ccm8: boolean;
  readonly psk: boolean;
  /** Whether certificates of clients are taken that are not valid now. */
  readonly skipValidity: boolean;
  readonly mtu: number;
  readonly maxSessions: number;
  readonly maxSessionsPerAddress: number;
  readonly maxHandshakes: number;
  readonly maxHandshakesPerAddress: number;
  readonly handshakeTimeout: Millis;
  /** A session of which nothing is heard for this long is closed. */
  readonly inactivityTimeout: Millis;
  /** How often such sessions are looked for. */
  readonly inactivityCheck: Millis;
  /** Seconds; 0: sessions are not resumed. */
  readonly resumptionTime: number;
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
  /**
   * What has to be looked up before a datagram of a handshake is worked off, which waits meanwhile; undefined: nothing. False, or
   * a rejection, drops it, and the client sends it again.
   */
  readonly prepare?: (connection: DtlsConnection, datagram: Buffer) => Promise<boolean> | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
  /** Runs a function after the I/O that is waiting; `setImmediate` but in tests. */
  readonly soon?: (run: () => void) => void;
}

/** What is at one address and port: a session, a handshake that may become the next one, or both. */
interface Place {
  session: DtlsSession | undefined;
  handshake: Handshake | undefined;
}

/** Each costs a millisecond or two of the event loop, which everything else in the process waits for. */
const HANDSHAKES_PER_TURN = 2;
/** Sessions that are ended in a turn where many end at once. */
const ENDS_PER_TURN = 25;
/** Datagrams of a handshake that may wait for its turn: long chains come in many fragments. */
const INBOX = 32;
/** ClientHellos remembered for each handshake there may be at once: as many as can be worked off while a cookie is good. */
const HELLOS_PER_HANDSHAKE = 128;

/**
 * DTLS 1.2 under the CoAP endpoint: takes datagrams apart by address, runs handshakes, and hands over what is in sessions.
 * Nothing is remembered of who has not proved its address, and an open session goes on until a new one at its address has
 * proved itself as well (RFC 6347 section 4.2.8).
 */
export class DtlsSocket implements UdpSocket {
  readonly #options: DtlsSocketOptions;
  readonly #soon: (run: () => void) => void;
  readonly #places = new Map<string, Place>();
  readonly #sessions: Roster<DtlsSession>;
  readonly #handshakes: Roster<Handshake>;
  readonly #seen: SeenHellos;
  readonly #turns: Turns<Handshake>;
  readonly #metrics: DtlsMetrics;
  readonly #policy: HandshakePolicy;
  readonly #stopWatching: () => void;
  readonly #believed: Believed;
  readonly #ofSessions = {
    received: (session: DtlsSession, message: Buffer) => this.#received(session, message),
    send: ({ address, port }: DtlsSession, datagram: Buffer) =>
      this.#options.socket.send(datagram, { address, port, session: undefined }),
    end: (session: DtlsSession, reason: SessionEndReason) => this.#end(session, reason),
  };
  #stopChecking = () => {};
  #context: DtlsContext;
  /** Answers everybody without a cookie, and becomes the session of who has one. */
  #listener: DtlsConnection;
  #receiver: DatagramReceiver = () => {};
  #ended: (session: DtlsSession) => void = () => {};
  #closing: Promise<void> | undefined;

  /** @throws Error in one line when the certificate or key of the server is none */
  constructor(options: DtlsSocketOptions) {
    const { clock, random, metrics, files, socket, settings, ticketKeys } = options;
    const now = () => clock.monotonic();
    const cookies = new Cookies(random, now);
    this.#options = options;
    this.#soon = options.soon ?? ((run) => void setImmediate(run));
    this.#sessions = new Roster({ max: settings.maxSessions, maxPerSource: settings.maxSessionsPerAddress });
    this.#handshakes = new Roster({ max: settings.maxHandshakes, maxPerSource: settings.maxHandshakesPerAddress });
    this.#seen = new SeenHellos(HELLOS_PER_HANDSHAKE * settings.maxHandshakes, COOKIE_LIFETIME, now);
    this.#turns = new Turns(HANDSHAKES_PER_TURN, this.#soon, (handshake) => this.#guard(() => this.#work(handshake)));
    this.#policy = {
      cookie: (peer) => cookies.of(peer),
      isCookie: (peer, cookie) => cookies.isOf(peer, cookie),
      acceptsCertificates: (chain) => options.certificates.acceptsCertificates(chain),
      stillAccepts: (accepted) => options.certificates.stillAccepts(accepted),
      ticketKey: () => ticketKeys.current,
      ticketKeyNamed: (name) => ticketKeys.named(name),
    };
    this.#believed = new Believed(files.current.clientTrust);
    this.#context = this.#createContext(files.current);
    this.#listener = this.#context.createConnection();
    this.#metrics = new DtlsMetrics(metrics, {
      sessions: () => this.#sessions.size,
      handshakes: () => this.#handshakes.size,
      waiting: () => this.#turns.size,
      hellos: () => this.#seen.size,
    });
    this.#stopWatching = files.onChange((current) => this.#reload(current));
    this.#checkIdle();
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

  onSessionEnd(listener: (session: DtlsSession) => void): void {
    this.#ended = listener;
  }

  /** What is for a session that has ended goes nowhere: its address may be somebody else's by now. */
  send(datagram: Buffer, { session }: Destination): void {
    if (!(session instanceof DtlsSession) || session.ended) return;
    if (session.connection.send(datagram)) session.connection.drain(session.outgoing);
    else this.#end(session, 'broken');
  }

  /** Tells every peer, a few in each turn: what is sent in one leaves before the next. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    this.#stopWatching();
    this.#stopChecking();
    for (const handshake of this.#handshakes.members()) this.#abandon(handshake, 'shutdown');
    for (let first = this.#sessions.oldest; first !== undefined; first = this.#sessions.oldest) {
      this.#endSome('shutdown', () => true);
      await new Promise<void>((resolve) => this.#soon(resolve));
    }
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
    if (this.#believed.change(files.clientTrust)) this.#endDoubted(this.#sessions.members());
  }

  /** A few in each turn. */
  #endDoubted(sessions: readonly DtlsSession[]): void {
    const doubted = sessions.filter((session) => !this.#believed.stillHolds(session, session.generation));
    for (const session of doubted.slice(0, ENDS_PER_TURN)) this.#end(session, 'revoked');
    if (doubted.length > ENDS_PER_TURN) this.#soon(() => this.#endDoubted(doubted.slice(ENDS_PER_TURN)));
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
    if (!isRecord(datagram)) {
      this.#metrics.dropped('no_record');
      return;
    }
    const key = keyOf(address, port);
    const place = this.#places.get(key);
    if (isClientHello(datagram)) {
      this.#hello(datagram, address, port, key, place);
    } else if (place === undefined) {
      this.#metrics.dropped('no_session');
    } else if (place.handshake && (place.session === undefined || isOfHandshake(datagram))) {
      this.#enqueue(place.handshake, datagram);
    } else if (place.session) {
      const open = this.#deliver(place.session, datagram);
      // It may be for the session to be: it came before the end of the handshake.
      if (open === 'nothing' && place.handshake) this.#enqueue(place.handshake, datagram);
    }
  }

  #hello(datagram: Buffer, address: string, port: number, key: string, place: Place | undefined): void {
    const { socket } = this.#options;
    const random = clientRandom(datagram);
    if (place?.handshake?.random === random) {
      this.#enqueue(place.handshake, datagram);
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
      this.#metrics.cookies.add();
      connection.drain((answer) => socket.send(answer, { address, port, session: undefined }));
      return;
    }
    this.#listener = this.#context.createConnection();
    if (outcome === 'proved') this.#begin({ address, port, connection, random });
    else {
      this.#metrics.dropped('bad_hello');
      connection.free();
    }
  }

  #begin(proved: Pick<Handshake, 'address' | 'port' | 'connection' | 'random'>): void {
    const { clock, settings } = this.#options;
    const key = keyOf(proved.address, proved.port);
    const former = this.#places.get(key)?.handshake;
    // Whoever has proved the address last is there now.
    if (former) this.#abandon(former, 'replaced');
    this.#makeRoomForHandshake(sourceOf(proved.address));
    const handshake: Handshake = {
      ...proved,
      inbox: [],
      generation: this.#believed.generation,
      begun: false,
      held: false,
      ended: false,
      retransmission: undefined,
      deadline: clock.setTimer(settings.handshakeTimeout, () => this.#abandon(handshake, 'timed_out')),
      membership: undefined,
      waiting: undefined,
    };
    this.#seen.add(key + proved.random);
    this.#placeOf(key).handshake = handshake;
    this.#handshakes.add(handshake, sourceOf(proved.address));
    this.#turns.add(handshake, 'fresh');
  }

  /**
   * The oldest goes. Who keeps many open has none that gets far; one that takes its time is over before its turn comes,
   * where those of whoever has most go first. Its client may try again with the same hello.
   */
  #makeRoomForHandshake(source: string): void {
    const full = this.#handshakes.isFull(source);
    if (full === undefined) return;
    const oldest = full === 'source' ? this.#handshakes.oldestOf(source) : this.#handshakes.oldestOfMost();
    if (oldest === undefined) return;
    this.#seen.forget(keyOf(oldest.address, oldest.port) + oldest.random);
    this.#abandon(oldest, 'evicted');
  }

  #enqueue(handshake: Handshake, datagram: Buffer): void {
    if (handshake.inbox.length >= INBOX) {
      this.#metrics.dropped('queue_full');
      return;
    }
    handshake.inbox.push(datagram);
    if (!handshake.held) this.#turns.add(handshake, handshake.begun ? 'begun' : 'fresh');
  }

  /** Its turn has come. */
  #work(handshake: Handshake): void {
    if (!handshake.begun) {
      handshake.begun = true;
      this.#step(handshake);
    }
    while (!handshake.ended && !handshake.held) {
      const [datagram] = handshake.inbox;
      if (datagram === undefined) return;
      const lookup = this.#options.prepare?.(handshake.connection, datagram);
      if (lookup !== undefined) {
        this.#hold(handshake, lookup);
        return;
      }
      handshake.inbox.shift();
      this.#step(handshake, datagram);
    }
  }

  #hold(handshake: Handshake, lookup: Promise<boolean>): void {
    handshake.held = true;
    const release = (found: boolean) => {
      handshake.held = false;
      if (handshake.ended) return;
      if (!found) handshake.inbox.shift();
      this.#turns.add(handshake, 'begun');
    };
    lookup.then(release, () => release(false));
  }

  #step(handshake: Handshake, datagram?: Buffer): void {
    const { socket, logger } = this.#options;
    const { address, port, connection } = handshake;
    const outcome = connection.handshake(datagram);
    connection.drain((flight) => socket.send(flight, { address, port, session: undefined }));
    if (outcome === 'done') this.#open(handshake);
    else if (outcome === 'waiting') this.#waitFor(handshake);
    else {
      logger.debug('DTLS handshake failed', { address, port, reason: connection.failure });
      this.#abandon(handshake, 'failed');
    }
  }

  #waitFor(handshake: Handshake): void {
    handshake.retransmission?.cancel();
    const wait = handshake.connection.retransmitIn();
    handshake.retransmission =
      wait === undefined
        ? undefined
        : this.#options.clock.setTimer(wait, () => this.#guard(() => this.#repeat(handshake)));
  }

  #repeat(handshake: Handshake): void {
    handshake.retransmission = undefined;
    if (handshake.connection.retransmit()) this.#step(handshake);
    else this.#abandon(handshake, 'timed_out');
  }

  #open(handshake: Handshake): void {
    const { address, port, connection } = handshake;
    const place = this.#forget(handshake);
    if (place.session) this.#end(place.session, 'replaced');
    this.#makeRoomForSession(sourceOf(address));
    const now = this.#options.clock.monotonic();
    const session = new DtlsSession(address, port, connection.identity(), connection, now, this.#ofSessions);
    session.generation = handshake.generation;
    this.#placeOf(keyOf(address, port)).session = session;
    this.#sessions.add(session, sourceOf(address));
    this.#metrics.handshakes.add();
    if (session.identity.resumed) this.#metrics.resumed.add();
    if (!this.#believed.stillHolds(session, handshake.generation)) {
      this.#end(session, 'revoked');
      return;
    }
    // What came before the last message of the handshake is in it already, or waits.
    this.#deliver(session, undefined);
    for (const datagram of handshake.inbox.splice(0)) if (!session.ended) this.#deliver(session, datagram);
  }

  /** The one that was silent for longest has to make another session when it comes back. */
  #makeRoomForSession(source: string): void {
    const full = this.#sessions.isFull(source);
    if (full === undefined) return;
    const silent = full === 'source' ? this.#sessions.oldestOf(source) : this.#sessions.oldest;
    if (silent) this.#end(silent, 'evicted');
  }

  #abandon(handshake: Handshake, reason: HandshakeEndReason): void {
    this.#metrics.handshakeEnded(reason);
    this.#forget(handshake);
    if (handshake.connection.refusedCredentials) this.#options.guard?.failed(handshake.address);
    handshake.inbox.length = 0;
    handshake.connection.free();
  }

  #forget(handshake: Handshake): Place {
    handshake.ended = true;
    handshake.retransmission?.cancel();
    handshake.deadline?.cancel();
    this.#turns.remove(handshake);
    this.#handshakes.remove(handshake);
    const key = keyOf(handshake.address, handshake.port);
    const place = this.#placeOf(key);
    place.handshake = undefined;
    if (!place.session) this.#places.delete(key);
    return place;
  }

  /** @returns whether there was a message in it for this session */
  #deliver(session: DtlsSession, datagram: Buffer | undefined): 'something' | 'nothing' {
    const { connection } = session;
    const heard = session.messages;
    const state = connection.receive(datagram, session.received);
    if (session.ended) return 'something';
    if (state === 'closed') this.#end(session, 'closed_by_peer');
    else if (state === 'broken') this.#end(session, 'broken');
    // Only what is not a message of the application is answered by the engine itself.
    else if (datagram === undefined || !isApplicationData(datagram)) connection.drain(session.outgoing);
    return session.messages === heard ? 'nothing' : 'something';
  }

  #received(session: DtlsSession, message: Buffer): void {
    if (session.ended) return;
    session.messages++;
    session.lastHeard = this.#options.clock.monotonic();
    this.#sessions.renew(session);
    this.#receiver(message, session.address, session.port, session);
  }

  #end(session: DtlsSession, reason: SessionEndReason): void {
    if (session.ended) return;
    session.ended = true;
    session.onEnd?.();
    this.#sessions.remove(session);
    this.#metrics.ended(reason);
    const key = keyOf(session.address, session.port);
    const place = this.#placeOf(key);
    place.session = undefined;
    if (!place.handshake) this.#places.delete(key);
    session.connection.close();
    // Whoever is at the address of a session that was replaced has the keys of the new one.
    if (reason !== 'replaced') session.connection.drain(session.outgoing);
    // Not while it is in the middle of a call.
    this.#soon(() => session.connection.free());
    this.#ended(session);
  }

  #checkIdle(): void {
    const { clock, settings } = this.#options;
    const timer = clock.setTimer(settings.inactivityCheck, () => this.#endIdle());
    this.#stopChecking = () => timer.cancel();
  }

  #endIdle(): void {
    if (this.#closing !== undefined) return;
    const { clock, settings } = this.#options;
    const since = clock.monotonic() - settings.inactivityTimeout;
    if (this.#endSome('idle', ({ lastHeard }) => lastHeard <= since)) this.#soon(() => this.#endIdle());
    else this.#checkIdle();
  }

  /** Ends those that were silent for longest, as long as they are of that kind. @returns whether there may be more */
  #endSome(reason: SessionEndReason, which: (session: DtlsSession) => boolean): boolean {
    for (let ends = 0; ends < ENDS_PER_TURN; ends++) {
      const { oldest } = this.#sessions;
      if (oldest === undefined || !which(oldest)) return false;
      this.#end(oldest, reason);
    }
    return true;
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
