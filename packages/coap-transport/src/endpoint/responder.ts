import type { Millis } from '@tandem/core';
import { ACK, CON, codeByte, NON } from './codes';
import type { Deduplication } from './deduplication';
import type { EchoProofs } from './echo';
import { encodeMessage, type OutgoingMessage, stampMessageId } from './encoder';
import type { EndpointMetrics } from './endpoint-metrics';
import type { Exchange } from './exchange';
import { emptyMessage } from './guard';
import type { MessageIds } from './message-ids';
import type { ObserveLayer } from './observe';
import type { PeerState } from './peer';
import type { Relation } from './relation';
import type { Reliability, TransmissionOwner } from './reliability';
import type { Bytes } from './settings';

export interface ResponderPorts {
  readonly reliability: Reliability;
  readonly deduplication: Deduplication;
  readonly observe: ObserveLayer;
  readonly metrics: EndpointMetrics;
  /** For what is sent to strangers; what is sent to devices has its own. */
  readonly strangerIds: MessageIds;
  /** Undefined: nobody has to prove an address. */
  readonly proofs: EchoProofs | undefined;
  send(datagram: Buffer, peer: PeerState): void;
  now(): Millis;
  /** Whether a stranger at this address gets one more answer; one that does not is counted. */
  mayReply(peer: PeerState): boolean;
}

/**
 * How many times longer than a request all that it makes us send to a stranger may be (RFC 9175 section 2.4). A request in blocks
 * is as long as all of them: that a block was taken is said in less than three times what is around its body.
 */
const AMPLIFICATION = 3;
const EMPTY_MESSAGE: Bytes = 4;
const UNAUTHORIZED = codeByte('4.01');

/**
 * Responses on their way out: piggybacked, or separate (RFC 7252 section 5.2). To whom they go decides how much it may be:
 *
 * - a device at an address that need not be proved, or is: whatever there is to say;
 * - a device at an address that is not proved: at most three times its request, else it has to prove its address;
 * - a stranger: at most three times its request, once, within the limit of its source address.
 */
export class Responder {
  readonly #ports: ResponderPorts;
  readonly #maxRetransmit: number;
  /** From now on nothing is waited for: what is Confirmable is sent once. */
  closing = false;

  constructor(maxRetransmit: number, ports: ResponderPorts) {
    this.#maxRetransmit = maxRetransmit;
    this.#ports = ports;
  }

  /** `relation`: the one this response begins. */
  send(exchange: Exchange, message: OutgoingMessage, relation: Relation | undefined): void {
    const { request } = exchange;
    if (!request.authenticated || message.echo !== undefined) this.#sendToStranger(exchange, message);
    else if (relation === undefined && !request.proved) this.#sendToUnproved(exchange, message);
    else this.#send(exchange, message, relation, this.#maxRetransmit);
  }

  #send(exchange: Exchange, message: OutgoingMessage, relation: Relation | undefined, maxRepetitions: number): void {
    const { arrivedAt, request, state, fingerprint } = exchange;
    const { peer, datagram, messageId, tokenLength, confirmable } = request;
    const { deduplication, metrics, reliability } = this.#ports;
    this.#answered(exchange, message);
    if (state === 'piggyback') {
      const reply = encodeMessage(ACK, messageId, message, datagram, 4, tokenLength);
      deduplication.remember(peer, messageId, fingerprint, reply, arrivedAt);
      this.#ports.send(reply, peer);
    } else if (confirmable && !this.closing) {
      deduplication.remember(peer, messageId, fingerprint, emptyMessage(ACK, messageId), arrivedAt);
      const separate = encodeMessage(CON, 0, message, datagram, 4, tokenLength);
      const owner = relation && this.#registrationOwner(relation);
      if (reliability.send(peer, separate, owner, false, maxRepetitions) === undefined) {
        metrics.dropped('queue_full');
        if (relation !== undefined) this.#ports.observe.close(relation, 'refused');
      }
    } else {
      deduplication.remember(peer, messageId, fingerprint, undefined, arrivedAt);
      const id = reliability.messageId(peer);
      if (id === -1) metrics.dropped('no_message_id');
      else {
        relation?.rememberNonId(id);
        const type = confirmable ? CON : NON;
        this.#ports.send(encodeMessage(type, id, message, datagram, 4, tokenLength), peer);
      }
    }
  }

  #answered({ request, arrivedAt }: Exchange, { code }: OutgoingMessage): void {
    const { metrics, now } = this.#ports;
    metrics.responded(code);
    request.counted?.answered(code, now() - arrivedAt);
  }

  /** A GET may be asked again, so what is too long for it waits for a proof; of anything else only the code is left. */
  #sendToUnproved(exchange: Exchange, message: OutgoingMessage): void {
    const { metrics, proofs } = this.#ports;
    const { datagram, tokenLength, method, peer } = exchange.request;
    const room = roomFor(exchange);
    const { length } = encodeMessage(ACK, 0, message, datagram, 4, tokenLength);
    if (length <= room) {
      this.#send(exchange, message, undefined, Math.min(this.#maxRetransmit, Math.floor(room / length) - 1));
    } else if (method === 'GET' && proofs !== undefined) {
      this.#sendToStranger(exchange, { code: UNAUTHORIZED, echo: proofs.challenge(peer) });
    } else {
      metrics.dropped('amplification');
      this.#send(exchange, { code: message.code }, undefined, 0);
    }
  }

  /**
   * Nothing is remembered of a stranger's request: it has changed nothing, so it may be answered anew, and a flood of them
   * cannot push out what is remembered of devices. Nor is anything waited for: a separate answer is a Non-confirmable
   * message, as it has to be for one with an Echo option (RFC 9175 section 2.4). Credentials that are valid pass whatever
   * the limit of the address. That the peer has had some before says nothing: anybody can write its address on a datagram.
   */
  #sendToStranger(exchange: Exchange, message: OutgoingMessage): void {
    const { request } = exchange;
    const { peer, datagram, messageId, tokenLength } = request;
    const { metrics, strangerIds } = this.#ports;
    if (!request.authenticated && !this.#ports.mayReply(peer)) return;
    this.#answered(exchange, message);
    if (message.echo !== undefined) metrics.dropped('unproved');
    const type = exchange.state === 'piggyback' ? ACK : NON;
    let reply = encodeMessage(type, messageId, message, datagram, 4, tokenLength);
    if (reply.length > roomFor(exchange)) {
      metrics.dropped('amplification');
      reply = encodeMessage(type, messageId, { code: message.code }, datagram, 4, tokenLength);
    }
    if (type === NON) {
      const id = strangerIds.next(peer.hash, this.#ports.now());
      if (id === -1) {
        metrics.dropped('no_message_id');
        return;
      }
      stampMessageId(reply, id);
    }
    this.#ports.send(reply, peer);
  }

  /** The separate response to a registration is the relation's first message, and may end it like any other. */
  #registrationOwner(relation: Relation): TransmissionOwner {
    const { observe } = this.#ports;
    return {
      transmitted() {},
      acknowledged() {},
      rejected: () => observe.rejected(relation),
      timedOut: () => observe.timedOut(relation),
    };
  }
}

/** What is left of three times the request, of which an empty Acknowledgement may have taken its part. */
function roomFor({ state, request: { confirmable, datagram, earlierBytes } }: Exchange): Bytes {
  const acknowledged = confirmable && state === 'separate' ? EMPTY_MESSAGE : 0;
  return AMPLIFICATION * (datagram.length + earlierBytes) - acknowledged;
}
