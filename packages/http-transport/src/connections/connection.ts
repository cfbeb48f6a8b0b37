import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Millis } from '@tandem/core';
import type { BodyPace } from './body-pace';

const CONNECTION = Symbol('connection');
/** `_parent` is what TLS runs over: of Node, without a public name. */
type Marked = Duplex & { [CONNECTION]?: Connection; readonly _parent?: Duplex | null };

/** A connection that just came is not idle: its first request may be on its way. */
const FRESH: Millis = 1_000;
const NONE: readonly ServerResponse[] = [];

/** What is known of one connection. A request costs it three assignments: more would be felt (ADR 10). */
export class Connection {
  /** The newest one. */
  request: IncomingMessage | undefined;
  /** To the newest request: they go out in order, so those before it have ended when it has. */
  response: ServerResponse | undefined;
  /** It speaks another protocol by now. */
  upgraded = false;
  /** Of the body that is coming in, once the watch has seen it. */
  pace: { readonly of: IncomingMessage; readonly body: BodyPace } | undefined;
  #before = NONE;

  constructor(
    /** What requests come from: over TLS not the one that was accepted. */
    public socket: Socket,
    private readonly since: Millis,
  ) {
    (socket as Marked)[CONNECTION] = this;
  }

  /** Undefined for one that was never accepted. */
  static of(socket: Duplex): Connection | undefined {
    const marked: Marked = socket;
    const known = marked[CONNECTION];
    if (known) return known;
    const below = marked._parent && (marked._parent as Marked)[CONNECTION];
    if (!below) return undefined;
    below.socket = socket as Socket;
    marked[CONNECTION] = below;
    return below;
  }

  /** Whether everything that was asked has been answered. */
  get answered(): boolean {
    return this.response?.writableFinished ?? true;
  }

  isIdle(now: Millis): boolean {
    if (this.upgraded || this.socket.destroyed) return false;
    if (!this.request) return now - this.since >= FRESH;
    return this.answered && this.request.complete;
  }

  /** @returns how many requests, this one included, wait for their answers */
  begin(request: IncomingMessage, response: ServerResponse, max: number): number {
    const { response: before } = this;
    this.request = request;
    this.response = response;
    if (before === undefined || before.writableFinished) {
      this.#before = NONE;
      return 1;
    }
    // Which of them have ended is looked at when it matters.
    const waiting = this.#before.length + 2 > max ? this.#before.filter(isOpen) : this.#before;
    this.#before = [...waiting, before];
    return this.#before.length + 1;
  }
}

const isOpen = (response: ServerResponse): boolean => !response.writableFinished;
