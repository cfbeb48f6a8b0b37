import {
  type Clock,
  Faults,
  type Logger,
  type MetricsRegistry,
  type Millis,
  quietLogger,
  type Random,
} from '@tandem/core';
import { BlockBodies } from './block2-bodies';
import type { Admission, RequestHandler } from './blockwise';
import { ACK, CON, FIRST_RESPONSE, NON } from './codes';
import { Deduplication } from './deduplication';
import { EchoProofs } from './echo';
import type { OutgoingMessage } from './encoder';
import { EndpointMetrics, type EndpointProtocol } from './endpoint-metrics';
import { Frame, isRequest, mustReset, readFrame, resetFor } from './guard';
import { IDS_FOR_STRANGERS, MessageIds } from './message-ids';
import type { ObservationInfo } from './observation';
import { ObserveLayer } from './observe';
import type { PeerState } from './peer';
import { PeerTable } from './peer-table';
import type { Relation } from './relation';
import { Reliability } from './reliability';
import { type CoapRequest, sameTarget, type Target } from './request';
import { RequestLayer } from './request-layer';
import { type CoapResponse, EMPTY } from './response';
import { DEFAULT_SETTINGS, type EndpointSettings } from './settings';
import { isNobody, SourceTable } from './sources';
import { TimerWheel } from './timer-wheel';
import { transmissionTimes } from './transmission-times';
import type { Destination, SecuritySession, UdpSocket } from './udp-socket';

export interface EndpointOptions {
  readonly socket: UdpSocket;
  readonly handler: RequestHandler;
  /**
   * Asked for each block of a longer request before it is kept: what it resolves with is the answer to a sender who has no
   * right to send it. Nobody is asked where there is none.
   */
  readonly admit?: Admission;
  /**
   * Asked before a later block is answered from a kept body. False: the handler runs again, and refuses whoever has lost
   * the right to it. Always true where there is none.
   */
  readonly mayContinue?: (request: CoapRequest) => boolean;
  /** Whether two targets are one resource, where it can be written in several ways; by the letter where left out. */
  readonly sameResource?: (one: Target, other: Target) => boolean;
  readonly settings?: Partial<EndpointSettings>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** One of its own where left out. */
  readonly faults?: Faults;
  readonly metrics: MetricsRegistry;
  /** What its metrics are told by: two endpoints on one registry need two. `coap` where left out. */
  readonly protocol?: EndpointProtocol;
  /** Runs a function after the I/O that is waiting; `setImmediate` but in tests. */
  readonly soon?: (run: () => void) => void;
}

/** While the store is away every observation and every request has a line to write. */
const LOG_INTERVAL: Millis = 10_000;
const CLOSING: CoapResponse = { code: '5.03', maxAge: 5 };

/**
 * A CoAP server endpoint (RFC 7252, 7641, 7959) on a datagram socket: it composes the layers and routes each datagram
 * to one of them. It serves from its construction on.
 */
export class CoapEndpoint {
  readonly #socket: UdpSocket;
  readonly #settings: EndpointSettings;
  readonly #soon: (run: () => void) => void;
  readonly #metrics: EndpointMetrics;
  readonly #peers: PeerTable;
  readonly #wheel: TimerWheel;
  readonly #reliability: Reliability;
  readonly #observe: ObserveLayer;
  readonly #requests: RequestLayer;
  readonly #bodies: BlockBodies;
  readonly #sources: SourceTable;
  readonly #now: () => Millis;
  readonly #frame = new Frame();
  #closing: Promise<void> | undefined;

  constructor(options: EndpointOptions) {
    const { socket, clock, random, logger } = options;
    const settings: EndpointSettings = { ...DEFAULT_SETTINGS, ...options.settings };
    const seed = random.bytes(4).readInt32LE();
    const now = () => clock.monotonic();
    const send = (datagram: Buffer, peer: PeerState) => socket.send(datagram, peer);
    const quiet = quietLogger(logger, clock, LOG_INTERVAL);
    this.#socket = socket;
    this.#now = now;
    this.#sources = new SourceTable(settings);
    this.#settings = settings;
    this.#soon = options.soon ?? ((run) => void setImmediate(run));
    const protocol = options.protocol ?? 'coap';
    const metrics = new EndpointMetrics(options.metrics, protocol);
    this.#metrics = metrics;
    this.#peers = new PeerTable(settings.maxPeers, seed);
    this.#wheel = new TimerWheel(clock);
    const wheel = this.#wheel;
    const deduplication = new Deduplication(settings.deduplicationBytes, transmissionTimes(settings));
    this.#bodies = new BlockBodies(settings, wheel, () => metrics.dropped('body_unread'));
    this.#reliability = new Reliability(settings, {
      wheel,
      random,
      now,
      send,
      free: (peer) => this.#observe.peerFree(peer),
      retransmitted: () => metrics.retransmissions.add(),
      timedOut: () => metrics.timeouts.add(),
      gone: () => metrics.dropped('peer_gone'),
    });
    const reliability = this.#reliability;
    this.#observe = new ObserveLayer(settings, {
      wheel,
      reliability,
      logger: quiet,
      now,
      send,
      soon: this.#soon,
      fit: (relation, message) => this.#fit(relation, message),
      release: (relation) => this.#bodies.release(relation),
      dropped: (reason) => metrics.dropped(reason),
    });
    this.#requests = new RequestLayer(settings, options.handler, {
      wheel,
      reliability,
      deduplication,
      observe: this.#observe,
      bodies: this.#bodies,
      metrics,
      strangerIds: new MessageIds(random, transmissionTimes(settings).exchangeLifetime, IDS_FOR_STRANGERS),
      now,
      proofs: settings.echo ? new EchoProofs(random, now) : undefined,
      logger: quiet,
      sameResource: options.sameResource ?? sameTarget,
      faults: options.faults ?? new Faults(logger, clock),
      seed,
      send,
      read: (peer, transferKey, more) => this.#observe.read(peer, transferKey, more),
      mayContinue: options.mayContinue ?? (() => true),
      admit: options.admit ?? (() => undefined),
      mayReply: (peer) => this.#mayReply(peer),
    });
    const labels = { protocol };
    const { metrics: registry } = options;
    registry.gauge('tandem_coap_observations', () => this.#observe.count, labels);
    registry.gauge('tandem_coap_running_exchanges', () => this.#requests.runningCount, labels);
    registry.gauge('tandem_coap_deduplication_bytes', () => deduplication.bytes, labels);
    registry.gauge('tandem_coap_upload_bytes', () => this.#requests.uploadBytes, labels);
    registry.gauge('tandem_coap_stranger_upload_bytes', () => this.#requests.strangerUploadBytes, labels);
    registry.gauge('tandem_coap_download_bytes', () => this.#bodies.bytes, labels);
    registry.gauge('tandem_coap_unacknowledged', () => this.#reliability.unacknowledged, labels);
    registry.gauge('tandem_coap_peers', () => this.#peers.size, labels);
    registry.gauge('tandem_coap_sources', () => this.#sources.size, labels);
    socket.onSessionEnding?.((session) => this.#sessionEnding(session));
    socket.onSessionEnd?.((session) => this.#sessionEnded(session));
    socket.receive((datagram, address, port, session) => {
      try {
        this.#receive(datagram, address, port, session);
      } catch (error) {
        // Whatever it is: one datagram must not take the process with it.
        logger.error('a datagram could not be processed', { error: error instanceof Error ? error.stack : error });
      }
    });
  }

  /** Address and port the socket is bound to. */
  get local(): { readonly address: string; readonly port: number } {
    return this.#socket.local;
  }

  /** The relations of now, oldest first: made while they are gone through, and whatever changes meanwhile may be in it. */
  observations(): Iterable<ObservationInfo> {
    return this.#observe.list();
  }

  /**
   * Stops serving and closes the socket. Gracefully: running requests are answered 5.03 and every observer gets a
   * final 5.03 (RFC 7641 section 4.2), each sent once and not waited for. Sources are closed with `'shutdown'`.
   */
  close(options: { readonly graceful: boolean } = { graceful: true }): Promise<void> {
    this.#closing ??= this.#shutDown(options.graceful);
    return this.#closing;
  }

  /** What waits for its turn leaves now, or it never would: final notifications above all. */
  #sessionEnding(session: SecuritySession): void {
    if (this.#closing !== undefined) return;
    this.#reliability.sendWaiting(this.#peers.get(session.address, session.port, session));
  }

  /** Whoever was there is gone, with all that was held for it. */
  #sessionEnded(session: SecuritySession): void {
    if (this.#closing !== undefined) return;
    const peer = this.#peers.take(session.address, session.port, session);
    if (peer === undefined) return;
    this.#reliability.giveUp(peer);
    this.#observe.closePeer(peer, 'timeout');
  }

  #receive(datagram: Buffer, address: string, port: number, session: object | undefined): void {
    const metrics = this.#metrics;
    metrics.datagrams.add();
    // Nothing can be sent to port 0.
    if (port === 0) {
      metrics.dropped('source_port_zero');
      return;
    }
    if (this.#closing !== undefined) {
      metrics.dropped('closing');
      return;
    }
    if (this.#socket.isSelf(address, port)) {
      metrics.dropped('source_self');
      return;
    }
    const now = this.#now();
    if (isNobody(address)) {
      metrics.dropped('source_nobody');
      return;
    }
    if (!this.#sources.accepts(address, now)) {
      metrics.dropped('source_datagrams');
      return;
    }
    const frame = this.#frame;
    const reason = readFrame(datagram, this.#settings.maxDatagram, frame);
    if (reason !== undefined) {
      metrics.dropped(reason);
      if (mustReset(reason, frame) && this.#mayReply({ address, session })) {
        this.#socket.send(resetFor(frame), { address, port, session });
      }
      return;
    }
    const peer = this.#peers.get(address, port, session);
    if (isRequest(frame)) {
      this.#requests.receive(peer, datagram, frame, now);
      return;
    }
    this.#receiveOther(peer, frame);
  }

  #receiveOther(peer: PeerState, frame: Frame): void {
    const metrics = this.#metrics;
    const { type, code, messageId } = frame;
    // Whatever response is in an Acknowledgement is ignored, but it acknowledges all the same (RFC 7252 section 5.2.2).
    if (type === ACK && code >= FIRST_RESPONSE && this.#reliability.acknowledge(peer, messageId)) return;
    if (code !== 0) {
      // A response: we have asked nobody.
      metrics.dropped('unexpected_response');
      if (type === CON) this.#reset(peer, frame);
    } else if (type === CON) {
      // Ping (RFC 7252 section 4.3).
      this.#reset(peer, frame);
    } else if (type === NON) {
      metrics.dropped('stray_empty');
    } else if (type === ACK) {
      if (!this.#reliability.acknowledge(peer, messageId)) metrics.dropped('stray_acknowledgement');
    } else if (!this.#reliability.reset(peer, messageId) && !this.#observe.resetNonConfirmable(peer, messageId)) {
      metrics.dropped('stray_reset');
    }
  }

  /** Nothing in what is rejected shows credentials, whoever else has sent from there. */
  #reset(peer: PeerState, frame: Frame): void {
    if (this.#mayReply(peer)) this.#socket.send(resetFor(frame), peer);
  }

  /** Whether a stranger there gets one more answer. A security session shows that it is no forged address. */
  #mayReply({ address, session }: Pick<Destination, 'address' | 'session'>): boolean {
    if (session !== undefined) return true;
    const may = this.#sources.mayReply(address, this.#now());
    if (!may) this.#metrics.dropped('source_replies');
    return may;
  }

  #fit(relation: Relation, message: OutgoingMessage): OutgoingMessage | undefined {
    const payload = message.payload ?? EMPTY;
    if (this.#bodies.fits(payload.length, relation.exponent)) return message;
    return this.#bodies.cut(message, payload, 0, relation.exponent, relation, { observer: true });
  }

  async #shutDown(graceful: boolean): Promise<void> {
    if (graceful) this.#requests.abandon();
    await this.#observe.shutDown(graceful ? CLOSING : undefined);
    this.#wheel.stop();
    // What was written in this turn leaves before the socket goes.
    if (graceful) await new Promise<void>((resolve) => this.#soon(resolve));
    await this.#socket.close();
  }
}
