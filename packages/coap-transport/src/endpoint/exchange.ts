import type { Millis } from '@tandem/core';
import type { PeerState } from './peer';
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
 * - `answered`: the response has left; a handler that is still running has lost its say, and counts until it is done.
 */
export type ExchangeState = 'piggyback' | 'separate' | 'answered';

/**
 * One request from its arrival to its response. Exchanges are used again: their callbacks are made once, so a request
 * costs no closure, and one goes back to the pool only when its handler can no longer call it.
 */
export class Exchange extends TimerEntry {
  state: ExchangeState = 'answered';
  request: IncomingRequest;
  fingerprint = 0;
  /** When its request came, on the monotonic clock. */
  arrivedAt: Millis = 0;
  /** In the list of the peer's running exchanges. */
  next: Exchange | undefined = undefined;
  previous: Exchange | undefined = undefined;
  /** Whether it is in that list. */
  listed = false;
  /** For `RunningExchanges` only. */
  runningNext: Exchange | undefined = undefined;
  runningPrevious: Exchange | undefined = undefined;
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

/** The exchanges whose handler is running, and how many they are; a set would cost an entry for each of them. */
export class RunningExchanges {
  #newest: Exchange | undefined;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(exchange: Exchange): void {
    enlist(exchange.request.peer, exchange);
    exchange.runningNext = this.#newest;
    if (this.#newest !== undefined) this.#newest.runningPrevious = exchange;
    this.#newest = exchange;
    this.#count++;
  }

  /** @returns false when it does not run */
  delete(exchange: Exchange): boolean {
    if (!exchange.listed) return false;
    delist(exchange.request.peer, exchange);
    const { runningNext: next, runningPrevious: previous } = exchange;
    if (previous === undefined) this.#newest = next;
    else previous.runningNext = next;
    if (next !== undefined) next.runningPrevious = previous;
    exchange.runningNext = undefined;
    exchange.runningPrevious = undefined;
    this.#count--;
    return true;
  }

  /** Those that still wait for their response. */
  unanswered(): Exchange[] {
    const exchanges: Exchange[] = [];
    for (let at = this.#newest; at !== undefined; at = at.runningNext) {
      if (at.state !== 'answered') exchanges.push(at);
    }
    return exchanges;
  }
}

/**
 * Whether so many requests with valid credentials are running for a peer, or more. Those of which that is not known, yet,
 * do not count: anybody can send them in the peer's name.
 */
export function hasRunning(peer: PeerState, maximum: number): boolean {
  if (peer.runningCount < maximum) return false;
  let count = 0;
  for (let exchange = peer.running; exchange !== undefined; exchange = exchange.next) {
    if (exchange.request.authenticated) count++;
  }
  return count >= maximum;
}

/** The exchange a message is a duplicate of, whose handler is running: for one that has been answered, ask `Deduplication` first. */
export function findRunning(peer: PeerState, messageId: number, fingerprint: number): Exchange | undefined {
  for (let exchange = peer.running; exchange !== undefined; exchange = exchange.next) {
    if (exchange.request.messageId === messageId && exchange.fingerprint === fingerprint) return exchange;
  }
  return undefined;
}

function enlist(peer: PeerState, exchange: Exchange): void {
  exchange.previous = undefined;
  exchange.next = peer.running;
  if (peer.running !== undefined) peer.running.previous = exchange;
  peer.running = exchange;
  peer.runningCount++;
  exchange.listed = true;
}

function delist(peer: PeerState, exchange: Exchange): void {
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
 * A 32-bit hash of a whole request. A repetition is the same message, bit by bit (RFC 7252 section 4.2): with the same id and
 * token but another type or other content it is a new one, of a device that began its ids anew; and a short datagram that has
 * guessed id and token does not get the long answer to another one.
 */
export function fingerprint(datagram: Uint8Array, seed: number): number {
  const { length } = datagram;
  let hash = seed ^ length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    const word =
      (datagram[at] ?? 0) |
      ((datagram[at + 1] ?? 0) << 8) |
      ((datagram[at + 2] ?? 0) << 16) |
      ((datagram[at + 3] ?? 0) << 24);
    hash = Math.imul(hash ^ word, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (; at < length; at++) hash = Math.imul(hash ^ (datagram[at] ?? 0), 0x01000193);
  return hash ^ (hash >>> 13);
}
