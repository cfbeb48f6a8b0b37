import { TandemError } from '@tandem/core';
import { hasLostTrust, TRUST_LOST } from '../client-certificates';
import type { Exchange } from '../requests/exchange';

/** What a held request waits for. */
export interface Wait {
  /** Nobody waits any more. */
  cancel(): void;
}

/**
 * A request that is answered later: a poll, or a command that waits for its reply. It ends with its answer, with its
 * connection, or with the gateway; whatever comes first.
 */
export class HeldRequest {
  #wait: Wait | undefined;
  #over = false;

  /** @throws TandemError POLL_EXPIRED on a connection that is not trusted any more */
  constructor(
    readonly exchange: Exchange,
    private readonly holders: Set<HeldRequest>,
    /** Frees the place of its device. */
    private readonly free: () => void,
  ) {
    const { socket } = exchange.request;
    // Before this one was known by its certificate.
    if (hasLostTrust(socket)) {
      free();
      throw new TandemError('POLL_EXPIRED');
    }
    if (socket.destroyed) {
      this.#over = true;
      free();
      return;
    }
    holders.add(this);
    // A client may pipeline any number of polls; that is no leak to warn of.
    socket.setMaxListeners(0);
    // The socket and not the response: one that waits behind another on the same connection never hears of the end.
    socket.on('close', this.#connectionLost);
    // A client that ended its side looks like one that is gone: an event must not be spent on it.
    socket.on('end', this.#clientEnded);
    socket.on(TRUST_LOST, this.#trustLost);
    if (socket.readableEnded) this.#clientEnded();
  }

  /** @param wait cancelled when the connection or the gateway goes away first */
  waitFor(wait: Wait): void {
    if (this.#over) wait.cancel();
    else this.#wait = wait;
  }

  /** To be called before it is answered. @returns false when it is over already, and nobody reads the answer */
  release(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#wait = undefined;
    this.holders.delete(this);
    this.free();
    const { socket } = this.exchange.request;
    socket.removeListener('close', this.#connectionLost);
    socket.removeListener('end', this.#clientEnded);
    socket.removeListener(TRUST_LOST, this.#trustLost);
    return !socket.destroyed;
  }

  /** Ends the wait and answers why. */
  refuse(error: TandemError): void {
    const wait = this.#wait;
    if (this.release()) this.exchange.fail(error);
    wait?.cancel();
  }

  readonly #clientEnded = (): void => {
    this.exchange.request.socket.destroy();
    this.#connectionLost();
  };

  /** What comes from now on is not for whoever waits here: it is over as if its time were. */
  readonly #trustLost = (): void => {
    this.exchange.closeConnection();
    this.refuse(new TandemError('POLL_EXPIRED'));
  };

  readonly #connectionLost = (): void => {
    const wait = this.#wait;
    this.release();
    wait?.cancel();
  };
}
