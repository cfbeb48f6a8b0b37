import type { Millis, Random } from '@tandem/core';
import { stampMessageId } from './encoder';
import { MessageIds } from './message-ids';
import type { PeerState } from './peer';
import { TimerEntry, type TimerWheel } from './timer-wheel';
import { type TransmissionParameters, transmissionTimes } from './transmission-times';

/** Who is told what became of a Confirmable message of ours. At most one of the last three, once. */
export interface TransmissionOwner {
  /** It left for the first time. */
  transmitted(): void;
  acknowledged(): void;
  /** The peer answered with a Reset. */
  rejected(): void;
  /** MAX_RETRANSMIT repetitions went unanswered. */
  timedOut(): void;
}

export interface ReliabilitySettings extends TransmissionParameters {
  readonly maxQueuedPerPeer: number;
  /** Messages that wait for an acknowledgement or for their turn, in all; those with a bound of their own do not count. */
  readonly maxUnacknowledged: number;
}

export interface ReliabilityPorts {
  readonly wheel: TimerWheel;
  readonly random: Random;
  now(): Millis;
  send(datagram: Buffer, peer: PeerState): void;
  /** The peer has a free place again and nothing is queued for it. */
  free(peer: PeerState): void;
  retransmitted(): void;
  /** A message that waited for a peer that is gone has been given up. */
  gone(): void;
  timedOut(): void;
}

/** While all message ids of a peer are in use: look again after so long. */
const NO_MESSAGE_ID_WAIT: Millis = 1_000;

/** A Confirmable message of ours on its way: waiting for its turn, or for its acknowledgement. */
export class Transmission extends TimerEntry {
  messageId = -1;
  repetitions = 0;
  sentAt: Millis = 0;
  /** The first wait; each later one is twice as long as the one before. */
  timeout: Millis = 0;

  constructor(
    readonly peer: PeerState,
    readonly datagram: Buffer,
    readonly owner: TransmissionOwner | undefined,
    readonly maxRepetitions: number,
    /** Whether it counts for what may be unacknowledged in all. */
    readonly counted: boolean,
    readonly layer: Reliability,
  ) {
    super();
  }

  override expire(): void {
    this.layer.expired(this);
  }
}

/**
 * Our Confirmable messages (RFC 7252 section 4.2): one outstanding per peer (NSTART 1, section 4.7), the rest in a
 * bounded queue; retransmitted with a jittered, doubling time-out until an Acknowledgement, a Reset or the last
 * time-out.
 */
export class Reliability {
  readonly #settings: ReliabilitySettings;
  readonly #ports: ReliabilityPorts;
  readonly #messageIds: MessageIds;
  readonly #maxTransmitSpan: Millis;
  #unacknowledged = 0;

  constructor(settings: ReliabilitySettings, ports: ReliabilityPorts) {
    const { exchangeLifetime, maxTransmitSpan } = transmissionTimes(settings);
    this.#settings = settings;
    this.#ports = ports;
    this.#messageIds = new MessageIds(ports.random, exchangeLifetime);
    this.#maxTransmitSpan = maxTransmitSpan;
  }

  /** A message id for a message of ours, or -1 while all are in use. */
  messageId(peer: PeerState): number {
    return this.#messageIds.next(peer.hash, this.#ports.now());
  }

  /** How many of those there are that have no other bound. */
  get unacknowledged(): number {
    return this.#unacknowledged;
  }

  isFree(peer: PeerState): boolean {
    return peer.outstanding === undefined;
  }

  /**
   * Sends an encoded Confirmable message (its message id is filled in when it leaves). Undefined when the peer's queue
   * is full, or too many wait in all; `always` takes it all the same, for messages that are bounded elsewhere. `maxRepetitions`: MAX_RETRANSMIT
   * of this one.
   */
  send(
    peer: PeerState,
    datagram: Buffer,
    owner?: TransmissionOwner,
    always = false,
    maxRepetitions = this.#settings.maxRetransmit,
  ): Transmission | undefined {
    if (!always && !this.#hasRoom(peer)) return undefined;
    const transmission = new Transmission(peer, datagram, owner, maxRepetitions, !always, this);
    if (!always) this.#unacknowledged++;
    if (peer.outstanding === undefined) {
      this.#start(transmission);
    } else {
      peer.queue ??= [];
      peer.queue.push(transmission);
    }
    return transmission;
  }

  /** Stops it, wherever it is. Its owner hears nothing more. */
  cancel(transmission: Transmission): void {
    const { peer } = transmission;
    if (peer.outstanding === transmission) {
      this.#finish(transmission);
    } else {
      const place = peer.queue?.indexOf(transmission) ?? -1;
      if (place === -1) return;
      peer.queue?.splice(place, 1);
      this.#uncount(transmission);
    }
  }

  #hasRoom(peer: PeerState): boolean {
    const { maxQueuedPerPeer, maxUnacknowledged } = this.#settings;
    return this.#unacknowledged < maxUnacknowledged && (peer.queue?.length ?? 0) < maxQueuedPerPeer;
  }

  #uncount({ counted }: Transmission): void {
    if (counted) this.#unacknowledged--;
  }

  /** An Acknowledgement came in. False when nothing waits for it. */
  acknowledge(peer: PeerState, messageId: number): boolean {
    const transmission = this.#match(peer, messageId);
    if (transmission === undefined) return false;
    transmission.owner?.acknowledged();
    this.#finish(transmission);
    return true;
  }

  /** A Reset came in. False when nothing waits for it. */
  reset(peer: PeerState, messageId: number): boolean {
    const transmission = this.#match(peer, messageId);
    if (transmission === undefined) return false;
    transmission.owner?.rejected();
    this.#finish(transmission);
    return true;
  }

  /** For `Transmission` only: its timer ran out. */
  expired(transmission: Transmission): void {
    if (transmission.messageId === -1) {
      this.#start(transmission);
      return;
    }
    if (transmission.repetitions >= transmission.maxRepetitions) {
      this.#ports.timedOut();
      this.#giveUpQueue(transmission.peer);
      transmission.owner?.timedOut();
      this.#finish(transmission);
      return;
    }
    transmission.repetitions++;
    const elapsed = this.#ports.now() - transmission.sentAt;
    // Reckoned from the first transmission, so that timers which fire late do not add up.
    const due = transmission.timeout * (2 ** (transmission.repetitions + 1) - 1);
    this.#ports.wheel.schedule(transmission, Math.max(this.#settings.ackTimeout, due - elapsed));
    // Too late for this one: rather none than one outside of MAX_TRANSMIT_SPAN (section 4.2).
    if (elapsed > this.#maxTransmitSpan) return;
    this.#ports.retransmitted();
    this.#ports.send(transmission.datagram, transmission.peer);
  }

  /** To be called before `giveUp` where the peer can still be reached: what waits is sent once. */
  sendWaiting(peer: PeerState): void {
    for (const { datagram } of peer.queue ?? []) {
      const messageId = this.messageId(peer);
      if (messageId === -1) return;
      stampMessageId(datagram, messageId);
      this.#ports.send(datagram, peer);
    }
  }

  /** Nobody is there any more: nothing is sent again, and what waits is not sent. */
  giveUp(peer: PeerState): void {
    const { outstanding } = peer;
    this.#giveUpQueue(peer);
    if (outstanding === undefined) return;
    outstanding.owner?.timedOut();
    this.#finish(outstanding);
  }

  /** Nobody is there: what waits would be sent to nobody, one full back-off after the other. */
  #giveUpQueue(peer: PeerState): void {
    const { queue } = peer;
    if (queue === undefined) return;
    peer.queue = undefined;
    for (const waiting of queue) {
      this.#ports.gone();
      this.#uncount(waiting);
      waiting.owner?.timedOut();
    }
  }

  #match(peer: PeerState, messageId: number): Transmission | undefined {
    const transmission = peer.outstanding;
    return transmission !== undefined && transmission.messageId === messageId ? transmission : undefined;
  }

  #start(transmission: Transmission): void {
    const { peer } = transmission;
    peer.outstanding = transmission;
    const messageId = this.messageId(peer);
    if (messageId === -1) {
      this.#ports.wheel.schedule(transmission, NO_MESSAGE_ID_WAIT);
      return;
    }
    const { ackTimeout, ackRandomFactor } = this.#settings;
    transmission.messageId = messageId;
    stampMessageId(transmission.datagram, messageId);
    transmission.sentAt = this.#ports.now();
    transmission.timeout = ackTimeout * (1 + (ackRandomFactor - 1) * this.#ports.random.fraction());
    this.#ports.wheel.schedule(transmission, transmission.timeout);
    this.#ports.send(transmission.datagram, peer);
    transmission.owner?.transmitted();
  }

  /** Frees the place of a message that is done with; a second call for the same one does nothing. */
  #finish(transmission: Transmission): void {
    const { peer } = transmission;
    if (peer.outstanding !== transmission) return;
    this.#ports.wheel.cancel(transmission);
    this.#uncount(transmission);
    peer.outstanding = undefined;
    const next = peer.queue?.shift();
    if (next !== undefined) this.#start(next);
    else this.#ports.free(peer);
  }
}
