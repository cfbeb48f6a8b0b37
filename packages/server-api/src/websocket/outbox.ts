import type { Clock, Millis } from '@tandem/core';
import type { WebSocket } from 'ws';
import { CLOSE } from './close-codes';

export interface OutboxLimits {
  readonly messages: number;
  readonly bytes: number;
}

/** How long the other side has to answer a close before its connection is cut. */
const CLOSE_PATIENCE: Millis = 5_000;
/** Longest reason in a close frame (RFC 6455 section 5.5). */
const MAX_REASON_BYTES = 123;

/** What goes out to one client. What it does not read is bounded: whoever is too slow is told and closed. */
export class Outbox {
  #waiting = 0;
  #closed = false;

  constructor(
    private readonly socket: WebSocket,
    private readonly limits: OutboxLimits,
    private readonly clock: Clock,
    /** It is too slow, and is closed. */
    private readonly onOverflow: () => void,
  ) {}

  /** @returns false where the message by itself is longer than what may wait: nothing was sent */
  send(text: string): boolean {
    if (this.#closed) return true;
    const bytes = Buffer.byteLength(text);
    if (bytes > this.limits.bytes) return false;
    if (this.#waiting >= this.limits.messages || this.socket.bufferedAmount + bytes > this.limits.bytes) {
      this.onOverflow();
      this.close(CLOSE.POLICY_VIOLATION, 'Max pending updates limit reached!');
      return true;
    }
    this.#waiting++;
    this.socket.send(text, () => {
      this.#waiting--;
    });
    return true;
  }

  /** Closes in order; whoever does not answer is cut. Once only. */
  close(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    const fitting = Buffer.from(reason)
      .subarray(0, MAX_REASON_BYTES)
      .toString()
      .replace(/\ufffd$/, '');
    this.socket.close(code, fitting);
    const late = this.clock.setTimer(CLOSE_PATIENCE, () => this.socket.terminate());
    this.socket.once('close', () => late.cancel());
  }
}
