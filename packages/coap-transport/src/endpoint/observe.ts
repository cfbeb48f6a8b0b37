import type { Millis } from '@tandem/core';
import { blockMore } from './block-option';
import { CON, codeByte, NON } from './codes';
import type { OutgoingMessage } from './encoder';
import { failureText } from './failure-text';
import { NonPacing, smoothed } from './non-pacing';
import type { Notification, ObservationEnd, ObservationInfo, ObservationSource } from './observation';
import { describe } from './observation-info';
import type { ObservePorts, ObserveSettings } from './observe-ports';
import { finalMessage, ObserveSender } from './observe-sender';
import type { PeerState } from './peer';
import { addRelation, findRelation, relationsOf, removeRelation } from './peer-relations';
import { Relation, type RelationLayer } from './relation';
import { type CoapResponse, EMPTY, payloadBytes } from './response';
import { RestReading } from './rest-reading';
import { DATAGRAMS_PER_TURN, Turns } from './turns';

/** A notification to a Non-confirmable observer is Confirmable at least so often (RFC 7641 section 4.5). */
const CONFIRMABLE_INTERVAL: Millis = 24 * 3_600_000;
/** After a source failed to give a notification. */
const RETRY_PULL: Millis = 5_000;
/** The end of an observation that has missed something. */
const UNDELIVERABLE: CoapResponse = { code: '5.03', maxAge: 30 };
const NUMBER_MASK = 0xffffff;
const NO_PATH: readonly string[] = [];

/**
 * Observations (RFC 7641). A relation pulls its notifications from its source when it may send one, which is how the
 * newest state supersedes older ones (section 4.5.2) without this layer knowing what a state is.
 */
export class ObserveLayer implements RelationLayer {
  readonly #settings: ObserveSettings;
  readonly #ports: ObservePorts;
  readonly #relations = new Set<Relation>();
  readonly #turns: Turns;
  readonly #sender: ObserveSender;
  readonly #rests: RestReading;
  #closing = false;

  constructor(settings: ObserveSettings, ports: ObservePorts) {
    this.#settings = settings;
    this.#ports = ports;
    this.#sender = new ObserveSender(ports);
    this.#turns = new Turns(ports.soon, (relation) => this.#pull(relation));
    this.#rests = new RestReading(ports, (relation) => this.#turns.enqueue(relation));
  }

  get count(): number {
    return this.#relations.size;
  }

  /** All there are, oldest first; what begins or ends meanwhile may be in it or not. */
  *list(): Generator<ObservationInfo> {
    for (const relation of this.#relations) yield describe(relation, this.#ports.now());
  }

  find(peer: PeerState, tokenKey: string): Relation | undefined {
    return findRelation(peer, tokenKey);
  }

  hasRoom(peer: PeerState, tokenKey: string): boolean {
    if (this.#closing) return false;
    if (this.find(peer, tokenKey) !== undefined) return true;
    const { maxObservations, maxObservationsPerPeer } = this.#settings;
    return this.#relations.size < maxObservations && relationsOf(peer).length < maxObservationsPerPeer;
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
    owner: string,
    exponent: number,
  ): Relation | undefined {
    const tokenKey = token.toString('hex');
    if (!this.hasRoom(peer, tokenKey)) {
      this.refuse(source);
      return undefined;
    }
    const now = this.#ports.now();
    const before = this.find(peer, tokenKey);
    const relation = new Relation(this, peer, tokenKey, confirmable, source, transferKey, owner, exponent, now);
    if (before !== undefined) relation.number = (before.number + 1) & NUMBER_MASK;
    addRelation(relation);
    this.#relations.add(relation);
    if (!confirmable) peer.pacing ??= new NonPacing(this.#settings.nonBurst, now);
    if (before !== undefined) this.close(before, 'replaced');
    // An observer is quiet: what would make its next request cheaper is worth less than the memory.
    peer.pathBytes = undefined;
    peer.path = NO_PATH;
    return relation;
  }

  /** A source that comes to nothing. */
  refuse(source: ObservationSource): void {
    this.#guarded(() => source.closed('refused'));
  }

  /** The registration's response has left; `unread`: its first block has. */
  begin(relation: Relation, unread: boolean): void {
    if (relation.state === 'closed') return;
    if (unread) {
      relation.rest = 'unasked';
      this.#rests.unacknowledged(relation);
    }
    this.#guarded(() => relation.source.attach(relation));
  }

  /** A later block of what is kept under this key has been sent; `more`: not the last one. */
  read(peer: PeerState, transferKey: string, more: boolean): void {
    this.#rests.read(peer, transferKey, more);
  }

  /** Removes a relation; nothing is sent. */
  close(relation: Relation, reason: ObservationEnd): void {
    if (relation.state === 'closed') return;
    const { peer, transmission } = relation;
    this.#relations.delete(relation);
    removeRelation(relation);
    if (!relation.confirmable && !relationsOf(peer).some(({ confirmable }) => !confirmable)) peer.pacing = undefined;
    if (relation.state === 'parked') peer.parked = peer.parked?.filter((other) => other !== relation);
    this.#ports.wheel.cancel(relation);
    this.#ports.release(relation);
    relation.notification = undefined;
    relation.transmission = undefined;
    this.#guarded(() => relation.close(reason));
    if (transmission !== undefined) this.#ports.reliability.cancel(transmission);
    this.#waive(relation);
  }

  /** A Reset that met no Confirmable message: perhaps it is for a Non-confirmable notification. */
  resetNonConfirmable(peer: PeerState, messageId: number): boolean {
    for (const relation of relationsOf(peer)) {
      if (!relation.sentNonId(messageId)) continue;
      this.close(relation, 'reset');
      return true;
    }
    return false;
  }

  /** Ends every relation of a peer that does not acknowledge any more. */
  closePeer(peer: PeerState, reason: ObservationEnd): void {
    for (const relation of relationsOf(peer)) this.close(relation, reason);
  }

  /** Nothing is outstanding to this peer. */
  peerFree(peer: PeerState): void {
    const { parked } = peer;
    if (parked === undefined) return;
    peer.parked = undefined;
    for (const relation of parked) if (relation.state === 'parked') this.#turns.enqueue(relation);
  }

  ready(relation: Relation): void {
    if (relation.state === 'idle') {
      this.#ports.wheel.cancel(relation);
      this.#turns.enqueue(relation);
    } else relation.dirty = true;
  }

  end(relation: Relation, final: CoapResponse | undefined): void {
    if (relation.state === 'closed') return;
    this.close(relation, 'ended');
    if (final === undefined) return;
    const { peer } = relation;
    const message = finalMessage(final);
    if (!relation.confirmable) {
      this.#sender.once(relation, NON, message);
      return;
    }
    const owner = { transmitted() {}, acknowledged() {}, rejected() {}, timedOut: () => this.timedOut(relation) };
    const sent = this.#ports.reliability.send(peer, this.#sender.encode(CON, 0, message, relation), owner);
    // No room to wait in: once is better than never.
    if (sent === undefined) this.#sender.once(relation, CON, message);
  }

  /** Ends all relations; each observer gets `final` once. Resolves when the last one has left. */
  async shutDown(final: CoapResponse | undefined): Promise<void> {
    this.#closing = true;
    let count = 0;
    for (const relation of [...this.#relations]) {
      if (relation.state === 'closed') continue;
      this.close(relation, 'shutdown');
      if (final === undefined) continue;
      this.#sender.once(relation, relation.confirmable ? CON : NON, finalMessage(final));
      if (++count % DATAGRAMS_PER_TURN === 0) await new Promise<void>((resolve) => this.#ports.soon(resolve));
    }
  }

  transmitted(relation: Relation): void {
    const { notification } = relation;
    if (notification === undefined) return;
    relation.lastConfirmable = Math.floor(this.#ports.now());
    if (notification.ackTimeout !== undefined) this.#ports.wheel.schedule(relation, notification.ackTimeout);
    this.#guarded(() => notification.sent?.());
  }

  acknowledged(relation: Relation): void {
    const { notification } = relation;
    if (relation.state !== 'outstanding') return;
    const now = this.#ports.now();
    this.#measure(relation, now);
    relation.acknowledgedAt = Math.floor(now / 1000);
    this.#ports.wheel.cancel(relation);
    relation.notification = undefined;
    relation.transmission = undefined;
    relation.state = 'idle';
    this.#guarded(() => notification?.delivered?.());
    if (this.#is(relation, 'idle')) this.#rests.acknowledged(relation);
  }

  #measure({ peer, transmission }: Relation, now: Millis): void {
    peer.pacing?.answered();
    // Whether a repeated message or its repetition was acknowledged cannot be told.
    if (transmission?.repetitions === 0) peer.roundTrip = smoothed(peer.roundTrip, now - transmission.sentAt);
  }

  rejected(relation: Relation): void {
    this.close(relation, 'reset');
  }

  timedOut(relation: Relation): void {
    this.closePeer(relation.peer, 'timeout');
  }

  expired(relation: Relation): void {
    if (relation.state === 'outstanding') this.#guarded(() => relation.notification?.lapsed?.());
    else if (relation.state === 'reading') this.#turns.enqueue(relation);
    else this.ready(relation);
  }

  #mustConfirm(relation: Relation): boolean {
    if (relation.confirmable) return true;
    const { pacing, roundTrip } = relation.peer;
    const now = this.#ports.now();
    return now - relation.lastConfirmable >= CONFIRMABLE_INTERVAL || pacing?.mayPass(roundTrip, now) !== true;
  }

  #pull(relation: Relation): void {
    const { peer } = relation;
    const { claimant } = peer;
    const mine = claimant === undefined || claimant === relation;
    if (this.#mustConfirm(relation) && !(mine && this.#ports.reliability.isFree(peer))) {
      this.#park(relation);
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

  #park(relation: Relation): void {
    relation.state = 'parked';
    relation.peer.parked ??= [];
    relation.peer.parked.push(relation);
  }

  /** It has spoken, or has nothing to say: the others of the peer are no longer behind it. */
  #waive(relation: Relation): void {
    const { peer } = relation;
    if (peer.claimant !== relation) return;
    peer.claimant = undefined;
    if (this.#ports.reliability.isFree(peer)) this.peerFree(peer);
  }

  #failed(relation: Relation, error: unknown): void {
    this.#ports.logger.warn('an observation could not be continued yet', {
      ...relation.source.about,
      peer: relation.peer.key,
      error: failureText(error),
    });
    if (relation.state !== 'pulling') return;
    relation.state = 'idle';
    this.#waive(relation);
    this.#ports.wheel.schedule(relation, RETRY_PULL);
  }

  #pulled(relation: Relation, notification: Notification | undefined): void {
    if (relation.state !== 'pulling') return;
    if (notification === undefined) {
      relation.state = 'idle';
      this.#waive(relation);
      if (relation.dirty) this.#turns.enqueue(relation);
      return;
    }
    if (
      notification.unsent !== undefined &&
      this.#mustConfirm(relation) &&
      !this.#ports.reliability.isFree(relation.peer)
    ) {
      relation.peer.claimant ??= relation;
      this.#park(relation);
      this.#guarded(() => notification.unsent?.());
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
    if (message === undefined) {
      this.#undeliverable(relation, notification, payload.length);
      return;
    }
    relation.notifications++;
    relation.rest = message.block2 !== undefined && blockMore(message.block2) ? 'unasked' : 'none';
    // Without a free message id it goes as a Confirmable one, which can wait for an id.
    if (this.#mustConfirm(relation) || !this.#sender.once(relation, NON, message)) {
      this.#sendCon(relation, notification, message);
      return;
    }
    relation.peer.pacing?.passed();
    relation.state = 'idle';
    this.#guarded(() => {
      notification.sent?.();
      notification.delivered?.();
    });
    if (this.#is(relation, 'idle')) this.#rests.unacknowledged(relation);
  }

  #sendCon(relation: Relation, notification: Notification, message: OutgoingMessage): void {
    const { peer } = relation;
    relation.state = 'outstanding';
    relation.notification = notification;
    // A relation has one notification at a time, so the limit on relations bounds what is queued this way.
    const transmission = this.#ports.reliability.send(
      peer,
      this.#sender.encode(CON, 0, message, relation),
      relation,
      true,
    );
    // `sent` may have ended the relation within `send`.
    if (this.#is(relation, 'outstanding')) relation.transmission = transmission;
    else if (transmission !== undefined) this.#ports.reliability.cancel(transmission);
    this.#waive(relation);
  }

  /** Nobody could have more than its first block: for the source that is as if nobody had acknowledged it. */
  #undeliverable(relation: Relation, notification: Notification, length: number): void {
    const { peer, source } = relation;
    this.#ports.dropped('notification_too_long');
    this.#ports.logger.warn('a notification is longer than the memory for long answers', {
      ...source.about,
      peer: peer.key,
      bytes: length,
    });
    if (notification.lapsed === undefined) {
      // The observer registers again, and so learns what it has missed.
      this.end(relation, UNDELIVERABLE);
      return;
    }
    relation.state = 'idle';
    this.#guarded(() => notification.lapsed?.());
    this.#waive(relation);
    if (this.#is(relation, 'idle')) this.#turns.enqueue(relation);
  }

  /** Asked anew: what was called meanwhile may have changed it. */
  #is(relation: Relation, state: Relation['state']): boolean {
    return relation.state === state;
  }

  /** A source that throws must not take the endpoint, or another source, with it. */
  #guarded(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#ports.logger.error('an observation source failed', { error: failureText(error) });
    }
  }
}
