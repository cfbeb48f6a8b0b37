import type { Millis, Random } from '@tandem/core';
import { stampMessageId } from './encoder';
import { MessageIds } from './message-ids';
import type { PeerState } from './peer';
import { TimerEntry, type TimerWheel } from './timer-wheel';

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

export interface ReliabilitySettings {
  readonly ackTimeout: Millis;
  readonly ackRandomFactor: number;
  readonly maxRetransmit: number;
  readonly maxQueuedPerPeer: number;
}

export interface ReliabilityPorts {
  readonly wheel: TimerWheel;
  readonly random: Random;
  now(): Millis;
  send(datagram: Buffer, peer: PeerState): void;
  /** The peer has a free place again and nothing is queued for it. */
  free(peer: PeerState): void;
  retransmitted(): void;
  timedOut(): void;
}

/** While all message ids of a peer are in use: look again after so long. */
const NO_MESSAGE_ID_WAIT: Millis = 1_000;

/** A Confirmable message of ours on its way: waiting for its turn, or for its acknowledgement. */
export class Transmission extends TimerEntry {
  messageId = -1;
  repetitions = 0;
  timeout: Millis = 0;

  constructor(
    readonly peer: PeerState,
    readonly datagram: Buffer,
    readonly owner: TransmissionOwner | undefined,
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

  constructor(settings: ReliabilitySettings, ports: ReliabilityPorts) {
    this.#settings = settings;
    this.#ports = ports;
  }

  /** A message id for a message of ours, or -1 while all are in use. */
  messageId(peer: PeerState): number {
    peer.messageIds ??= new MessageIds(Math.floor(this.#ports.random.fraction() * 0x10000));
    return peer.messageIds.next(this.#ports.now());
  }

  isFree(peer: PeerState): boolean {
    return peer.outstanding === undefined;
  }

  /**
   * Sends an encoded Confirmable message (its message id is filled in when it leaves). Undefined when the peer's queue
   * is full; `always` puts it in all the same, for messages that are bounded elsewhere.
   */
  send(peer: PeerState, datagram: Buffer, owner?: TransmissionOwner, always = false): Transmission | undefined {
    const transmission = new Transmission(peer, datagram, owner, this);
    if (peer.outstanding === undefined) {
      this.#start(transmission);
    } else {
      peer.queue ??= [];
      if (!always && peer.queue.length >= this.#settings.maxQueuedPerPeer) return undefined;
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
      if (place !== -1) peer.queue?.splice(place, 1);
    }
  }

  /** An empty Acknowledgement came in. False when nothing waits for it. */
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
    if (transmission.repetitions >= this.#settings.maxRetransmit) {
      this.#ports.timedOut();
      transmission.owner?.timedOut();
      this.#finish(transmission);
      return;
    }
    transmission.repetitions++;
    transmission.timeout *= 2;
    this.#ports.wheel.schedule(transmission, transmission.timeout);
    this.#ports.retransmitted();
    this.#ports.send(transmission.datagram, transmission.peer);
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
    peer.outstanding = undefined;
    const next = peer.queue?.shift();
    if (next !== undefined) this.#start(next);
    else this.#ports.free(peer);
  }
}
