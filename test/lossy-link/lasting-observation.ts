import type { ParsedPacket } from 'coap-packet';
import { option as uintOption } from '../../packages/coap-transport/src/endpoint/testing/fake-client';
import { type CoapPeer, option } from './coap-peer';

/** `first` answers a registration. */
export type Taken = (message: ParsedPacket, kind: 'first' | 'next') => void;

export interface ObservationOptions {
  readonly path: string;
  /** The type of the registration, and so of the notifications (contract 2.6.2). */
  readonly confirmable: boolean;
  /** Registers again after so long without a message (ms): an observer's only way to learn that it is forgotten. */
  readonly silence: number;
  /** Whether each message counts by itself, in whatever order: a command, not a difference to the one before. */
  readonly unordered: boolean;
  readonly take: Taken;
}

/**
 * An observation that is meant to last (RFC 7641 section 3.3.1): it registers again after a silence, when a number is
 * missing, and when a message says that it is over. Deltas are taken in the order of their numbers, from the one in the
 * answer to the registration on; older ones are dropped.
 *
 * A Confirmable registration is repeated with its token: its answer is an Acknowledgement and so known from a
 * notification. A Non-confirmable one is not, so each has a token of its own, with which the numbers begin at 0.
 */
export class LastingObservation {
  registrations = 0;
  #token: Buffer;
  #last = 0;
  /** What came while a registration was under way. */
  #early: ParsedPacket[] | undefined;
  /** Takes the answer to a Non-confirmable registration. */
  #answered: ((answer: ParsedPacket | undefined) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(
    private readonly peer: CoapPeer,
    private readonly options: ObservationOptions,
  ) {
    this.#token = peer.newToken();
    peer.listen(this.#token, (message) => this.#receive(message));
  }

  async register(): Promise<void> {
    if (this.#early || this.#stopped) return;
    clearTimeout(this.#timer);
    const early: ParsedPacket[] = [];
    this.#early = early;
    this.registrations++;
    const answer = await (this.options.confirmable ? this.#ask() : this.#tell());
    this.#early = undefined;
    const number = answer && uintOption(answer, 'Observe');
    this.#awaitSilence();
    if (answer === undefined || number === undefined) return;
    this.#last = number;
    this.options.take(answer, 'first');
    for (const message of early) {
      // A number was missing, and the next answer says all that these could.
      if (this.#early) return;
      this.#receive(message);
    }
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#answered?.(undefined);
  }

  #request() {
    return { method: 'GET', path: this.options.path, token: this.#token, options: [option('Observe', '')] } as const;
  }

  #ask(): Promise<ParsedPacket | undefined> {
    return this.peer.request(this.#request());
  }

  #tell(): Promise<ParsedPacket | undefined> {
    this.peer.forget(this.#token);
    this.#token = this.peer.newToken();
    this.peer.listen(this.#token, (message) => this.#receive(message));
    return new Promise((resolve) => {
      this.#answered = (answer) => {
        clearTimeout(this.#timer);
        this.#answered = undefined;
        resolve(answer);
      };
      this.#timer = setTimeout(() => this.#answered?.(undefined), this.options.silence);
      this.peer.tell(this.#request());
    });
  }

  #receive(message: ParsedPacket): void {
    const number = uintOption(message, 'Observe');
    if (number === 0 && this.#answered) this.#answered(message);
    // Number 0 is the answer to a registration that was given up for it: it tells nothing that is new.
    else if (number !== undefined && number > 0 && this.options.unordered) this.options.take(message, 'next');
    else if (this.#early) this.#early.push(message);
    else if (number === undefined || number > this.#last + 1) void this.register();
    else if (number === this.#last + 1) {
      this.#last = number;
      this.options.take(message, 'next');
    }
    if (!this.#early) this.#awaitSilence();
  }

  #awaitSilence(): void {
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = setTimeout(() => void this.register(), this.options.silence);
  }
}
