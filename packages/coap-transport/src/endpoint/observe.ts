import { type Logger, type Millis, TandemError } from '@tandem/core';
import { CON, codeByte, NON } from './codes';
import { encodeMessage, type OutgoingMessage } from './encoder';
import type { DropReason } from './guard';
import type { Notification, ObservationEnd, ObservationSource } from './observation';
import type { PeerState } from './peer';
import { Relation, type RelationLayer } from './relation';
import type { Reliability } from './reliability';
import { type CoapResponse, EMPTY, payloadBytes } from './response';
import type { TimerWheel } from './timer-wheel';

/** A notification to a Non-confirmable observer is Confirmable at least so often (RFC 7641 section 4.5). */
const CONFIRMABLE_INTERVAL: Millis = 24 * 3_600_000;
/** After a source failed to give a notification. */
const RETRY_PULL: Millis = 5_000;
/** The event loop reads 32 datagrams per turn: writing fewer leaves room for the acknowledgements. */
const DATAGRAMS_PER_TURN = 25;
const NUMBER_MASK = 0xffffff;

export interface ObserveSettings {
  readonly maxObservations: number;
  readonly maxObservationsPerPeer: number;
}

export interface ObservePorts {
  readonly wheel: TimerWheel;
  readonly reliability: Reliability;
  readonly logger: Logger;
  now(): Millis;
  send(datagram: Buffer, peer: PeerState): void;
  /** Runs `turn` once, after the I/O that is waiting: `setImmediate`. */
  soon(turn: () => void): void;
  /** Cuts a payload that is longer than a block (RFC 7959 section 2.6). */
  fit(relation: Relation, message: OutgoingMessage): OutgoingMessage;
  dropped(reason: DropReason): void;
}

/**
 * Observations (RFC 7641). A relation pulls its notifications from its source when it may send one, which is how the
 * newest state supersedes older ones (section 4.5.2) without this layer knowing what a state is.
 */
export class ObserveLayer implements RelationLayer {
  readonly #settings: ObserveSettings;
  readonly #ports: ObservePorts;
  readonly #relations = new Set<Relation>();
  #closing = false;
  #queue: Relation[] = [];
  #queueHead = 0;
  #turnPending = false;

  constructor(settings: ObserveSettings, ports: ObservePorts) {
    this.#settings = settings;
    this.#ports = ports;
  }

  get count(): number {
    return this.#relations.size;
  }

  find(peer: PeerState, tokenKey: string): Relation | undefined {
    return peer.relations?.get(tokenKey);
  }

  hasRoom(peer: PeerState, tokenKey: string): boolean {
    if (this.#closing) return false;
    if (this.find(peer, tokenKey) !== undefined) return true;
    const { maxObservations, maxObservationsPerPeer } = this.#settings;
    return this.#relations.size < maxObservations && (peer.relations?.size ?? 0) < maxObservationsPerPeer;
  }

  /**
   * Registers and returns the relation, whose `number` goes into the response; then `begin` it. The same peer and token
   * again take the place of their relation, and the number goes on from where it was. Undefined without room: the
   * source has been closed.
   */
  register(
    peer: PeerState,
    token: Buffer,
    confirmable: boolean,
    source: ObservationSource,
    transferKey: string,
    exponent: number,
  ): Relation | undefined {
    const tokenKey = token.toString('hex');
    if (!this.hasRoom(peer, tokenKey)) {
      this.refuse(source);
      return undefined;
    }
    const before = this.find(peer, tokenKey);
    const own = Buffer.from(token);
    const relation = new Relation(this, peer, own, tokenKey, confirmable, source, transferKey, exponent);
    relation.lastConfirmable = this.#ports.now();
    if (before !== undefined) {
      relation.number = (before.number + 1) & NUMBER_MASK;
      this.close(before, 'replaced');
    }
    peer.relations ??= new Map();
    peer.relations.set(tokenKey, relation);
    this.#relations.add(relation);
    return relation;
  }

  /** A source that comes to nothing. */
  refuse(source: ObservationSource): void {
    this.#guarded(() => source.closed('refused'));
  }

  /** The registration's response has left. */
  begin(relation: Relation): void {
    if (relation.state !== 'closed') this.#guarded(() => relation.source.attach(relation));
  }

  /** Removes a relation; nothing is sent. */
  close(relation: Relation, reason: ObservationEnd): void {
    if (relation.state === 'closed') return;
    const { peer, transmission } = relation;
    const { relations } = peer;
    this.#relations.delete(relation);
    if (relations?.get(relation.tokenKey) === relation) relations.delete(relation.tokenKey);
    if (relation.state === 'parked') peer.parked = peer.parked?.filter((other) => other !== relation);
    this.#ports.wheel.cancel(relation);
    relation.notification = undefined;
    relation.transmission = undefined;
    this.#guarded(() => relation.close(reason));
    if (transmission !== undefined) this.#ports.reliability.cancel(transmission);
  }

  /** A Reset that met no Confirmable message: perhaps it is for a Non-confirmable notification. */
  resetNonConfirmable(peer: PeerState, messageId: number): boolean {
    for (const relation of peer.relations?.values() ?? []) {
      if (!relation.sentNonId(messageId)) continue;
      this.close(relation, 'reset');
      return true;
    }
    return false;
  }

  /** Ends every relation of a peer that does not acknowledge any more. */
  closePeer(peer: PeerState, reason: ObservationEnd): void {
    for (const relation of [...(peer.relations?.values() ?? [])]) this.close(relation, reason);
  }

  /** Nothing is outstanding to this peer. */
  peerFree(peer: PeerState): void {
    const { parked } = peer;
    if (parked === undefined) return;
    peer.parked = undefined;
    for (const relation of parked) if (relation.state === 'parked') this.#enqueue(relation);
  }

  ready(relation: Relation): void {
    if (relation.state === 'idle') {
      this.#ports.wheel.cancel(relation);
      this.#enqueue(relation);
    } else relation.dirty = true;
  }

  end(relation: Relation, final: CoapResponse | undefined): void {
    if (relation.state === 'closed') return;
    this.close(relation, 'ended');
    if (final === undefined) return;
    const { peer } = relation;
    const message = finalMessage(final);
    if (!relation.confirmable) {
      this.#sendOnce(relation, NON, message);
      return;
    }
    const owner = { transmitted() {}, acknowledged() {}, rejected() {}, timedOut: () => this.timedOut(relation) };
    const sent = this.#ports.reliability.send(peer, encodeMessage(CON, 0, message, relation.token), owner);
    if (sent === undefined) this.#ports.dropped('queue_full');
  }

  /** Ends all relations; each observer gets `final` once. Resolves when the last one has left. */
  async shutDown(final: CoapResponse | undefined): Promise<void> {
    this.#closing = true;
    let count = 0;
    for (const relation of [...this.#relations]) {
      if (relation.state === 'closed') continue;
      this.close(relation, 'shutdown');
      if (final === undefined) continue;
      this.#sendOnce(relation, relation.confirmable ? CON : NON, finalMessage(final));
      if (++count % DATAGRAMS_PER_TURN === 0) await new Promise<void>((resolve) => this.#ports.soon(resolve));
    }
  }

  transmitted(relation: Relation): void {
    const { notification } = relation;
    if (notification === undefined) return;
    relation.lastConfirmable = this.#ports.now();
    if (notification.ackTimeout !== undefined) this.#ports.wheel.schedule(relation, notification.ackTimeout);
    this.#guarded(() => notification.sent?.());
  }

  acknowledged(relation: Relation): void {
    const { notification } = relation;
    if (relation.state !== 'outstanding') return;
    this.#ports.wheel.cancel(relation);
    relation.notification = undefined;
    relation.transmission = undefined;
    relation.state = 'idle';
    this.#guarded(() => notification?.delivered?.());
    if (relation.state === 'idle') this.#enqueue(relation);
  }

  rejected(relation: Relation): void {
    this.close(relation, 'reset');
  }

  timedOut(relation: Relation): void {
    this.closePeer(relation.peer, 'timeout');
  }

  expired(relation: Relation): void {
    if (relation.state === 'outstanding') this.#guarded(() => relation.notification?.lapsed?.());
    else this.ready(relation);
  }

  #enqueue(relation: Relation): void {
    relation.state = 'queued';
    this.#queue.push(relation);
    this.#scheduleTurn();
  }

  #scheduleTurn(): void {
    if (this.#turnPending) return;
    this.#turnPending = true;
    this.#ports.soon(this.#turn);
  }

  readonly #turn = (): void => {
    this.#turnPending = false;
    for (let budget = DATAGRAMS_PER_TURN; budget > 0 && this.#queueHead < this.#queue.length; ) {
      const relation = this.#queue[this.#queueHead++];
      if (relation?.state !== 'queued') continue;
      budget--;
      this.#pull(relation);
    }
    if (this.#queueHead >= this.#queue.length) {
      this.#queue = [];
      this.#queueHead = 0;
    } else {
      if (this.#queueHead > 4096) {
        this.#queue = this.#queue.slice(this.#queueHead);
        this.#queueHead = 0;
      }
      this.#scheduleTurn();
    }
  };

  #mustConfirm(relation: Relation): boolean {
    return relation.confirmable || this.#ports.now() - relation.lastConfirmable >= CONFIRMABLE_INTERVAL;
  }

  #pull(relation: Relation): void {
    const { peer } = relation;
    if (this.#mustConfirm(relation) && !this.#ports.reliability.isFree(peer)) {
      relation.state = 'parked';
      peer.parked ??= [];
      peer.parked.push(relation);
      return;
    }
    relation.state = 'pulling';
    relation.dirty = false;
    try {
      const next = relation.source.next();
      if (next instanceof Promise)
        next.then(this.#pulled.bind(this, relation)).catch(this.#failed.bind(this, relation));
      else this.#pulled(relation, next);
    } catch (error) {
      this.#failed(relation, error);
    }
  }

  #failed(relation: Relation, error: unknown): void {
    this.#ports.logger.warn('an observation could not be continued yet', {
      ...relation.source.about,
      peer: relation.peer.key,
      error: text(error),
    });
    if (relation.state !== 'pulling') return;
    relation.state = 'idle';
    this.#ports.wheel.schedule(relation, RETRY_PULL);
  }

  #pulled(relation: Relation, notification: Notification | undefined): void {
    if (relation.state !== 'pulling') return;
    if (notification === undefined) {
      relation.state = 'idle';
      if (relation.dirty) this.#enqueue(relation);
      return;
    }
    relation.number = (relation.number + 1) & NUMBER_MASK;
    const payload = notification.payload === undefined ? EMPTY : payloadBytes(notification.payload);
    const message = this.#ports.fit(relation, {
      code: codeByte(notification.code),
      observe: relation.number,
      contentFormat: notification.contentFormat,
      payload,
    });
    // Without a free message id it goes as a Confirmable one, which can wait for an id.
    if (this.#mustConfirm(relation) || !this.#sendOnce(relation, NON, message)) {
      this.#sendCon(relation, notification, message);
      return;
    }
    relation.state = 'idle';
    this.#guarded(() => {
      notification.sent?.();
      notification.delivered?.();
    });
    if (this.#isIdle(relation)) this.#enqueue(relation);
  }

  #sendCon(relation: Relation, notification: Notification, message: OutgoingMessage): void {
    const { peer } = relation;
    relation.state = 'outstanding';
    relation.notification = notification;
    // A relation has one notification at a time, so the limit on relations bounds what is queued this way.
    const transmission = this.#ports.reliability.send(
      peer,
      encodeMessage(CON, 0, message, relation.token),
      relation,
      true,
    );
    // `sent` may have ended the relation within `send`.
    if (this.#isOutstanding(relation)) relation.transmission = transmission;
    else if (transmission !== undefined) this.#ports.reliability.cancel(transmission);
  }

  #isIdle(relation: Relation): boolean {
    return relation.state === 'idle';
  }

  #isOutstanding(relation: Relation): boolean {
    return relation.state === 'outstanding';
  }

  /** False: there is no message id for it. */
  #sendOnce(relation: Relation, type: typeof CON | typeof NON, message: OutgoingMessage): boolean {
    const messageId = this.#ports.reliability.messageId(relation.peer);
    if (messageId === -1) {
      this.#ports.dropped('no_message_id');
      return false;
    }
    relation.rememberNonId(messageId);
    this.#ports.send(encodeMessage(type, messageId, message, relation.token), relation.peer);
    return true;
  }

  /** A source that throws must not take the endpoint, or another source, with it. */
  #guarded(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#ports.logger.error('an observation source failed', { error: text(error) });
    }
  }
}

/** Without an Observe option: else a client need not take it as the end (RFC 7641 section 3.2). */
function finalMessage(final: CoapResponse): OutgoingMessage {
  const { code, payload, contentFormat, maxAge } = final;
  return { code: codeByte(code), payload: payloadBytes(payload), contentFormat, maxAge };
}

function text(error: unknown): string {
  // Nothing that a stack could help with.
  if (error instanceof TandemError && error.code === 'STORE_UNAVAILABLE') return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
