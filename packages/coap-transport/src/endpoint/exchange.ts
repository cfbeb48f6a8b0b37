import { hashBytes, type PeerState } from './peer';
import type { IncomingRequest } from './request';
import type { CoapResponse } from './response';
import { TimerEntry } from './timer-wheel';

/** What an exchange asks of the layer that runs it. */
export interface ExchangeLayer {
  settled(exchange: Exchange, response: CoapResponse): void;
  failed(exchange: Exchange, error: unknown): void;
  expired(exchange: Exchange): void;
}

/**
 * - `piggyback`: the Acknowledgement is still to come and may carry the response.
 * - `separate`: the empty Acknowledgement has been sent, or none is due (NON).
 * - `answered`: the response has left; a handler that is still running has lost its say.
 */
export type ExchangeState = 'piggyback' | 'separate' | 'answered';

/**
 * One request from its arrival to its response. Exchanges are used again: their callbacks are made once, so a request
 * costs no closure, and one goes back to the pool only when its handler can no longer call it.
 */
export class Exchange extends TimerEntry {
  state: ExchangeState = 'answered';
  request: IncomingRequest;
  tokenHash = 0;
  /** In the list of the peer's running exchanges. */
  next: Exchange | undefined = undefined;
  previous: Exchange | undefined = undefined;
  /** Whether it is in that list. */
  listed = false;
  readonly onResponse: (response: CoapResponse) => void;
  readonly onError: (error: unknown) => void;
  readonly #layer: ExchangeLayer;

  constructor(layer: ExchangeLayer, request: IncomingRequest) {
    super();
    this.#layer = layer;
    this.request = request;
    this.onResponse = layer.settled.bind(layer, this);
    this.onError = layer.failed.bind(layer, this);
  }

  override expire(): void {
    this.#layer.expired(this);
  }
}

/** The running exchange a message is a duplicate of. */
export function findRunning(peer: PeerState, messageId: number, tokenHash: number): Exchange | undefined {
  for (let exchange = peer.running; exchange !== undefined; exchange = exchange.next) {
    if (exchange.request.messageId === messageId && exchange.tokenHash === tokenHash) return exchange;
  }
  return undefined;
}

export function enlist(peer: PeerState, exchange: Exchange): void {
  exchange.previous = undefined;
  exchange.next = peer.running;
  if (peer.running !== undefined) peer.running.previous = exchange;
  peer.running = exchange;
  peer.runningCount++;
  exchange.listed = true;
}

export function delist(peer: PeerState, exchange: Exchange): void {
  if (!exchange.listed) return;
  const { next, previous } = exchange;
  if (previous === undefined) peer.running = next;
  else previous.next = next;
  if (next !== undefined) next.previous = previous;
  exchange.next = undefined;
  exchange.previous = undefined;
  exchange.listed = false;
  peer.runningCount--;
}

/**
 * A 32-bit hash of a request's token and length. A repetition is as long as what it repeats: a short datagram that has
 * guessed message id and token must not get the long answer to another one.
 */
export function tokenHash(datagram: Uint8Array, tokenLength: number, seed: number): number {
  return hashBytes(datagram, 4, 4 + tokenLength, seed ^ tokenLength ^ (datagram.length << 4));
}
