import type { DeviceAuth, SessionEnd } from '../auth/device-auth';
import type { DeviceSession } from '../auth/device-session';
import { TandemError } from '../errors';
import type { WrittenMessage } from '../payload/format/index';
import type { Clock, EpochMillis, Millis, Timer } from '../platform/clock';
import type { Random } from '../platform/random';
import { traceNow } from '../platform/tracing';
import type { DeviceEvents, ObservedKind } from '../state/device-events';
import { Delivery } from './event-trace';
import { lookAgain } from './look-again';

/** One event for the device. */
export interface PollEvent {
  /** What the device gets, and what it is in. */
  readonly message: WrittenMessage;
  /** In which it was sent; undefined where nothing is traced. */
  readonly traces?: readonly string[];
  /**
   * To be called once, when the response has been written or the connection was lost: an event is never consumed for a
   * closed connection (contract 1.5.1).
   */
  settled(written: boolean): void;
}

/** How a poll ends; exactly one of these, and none after `cancel`. */
export type PollOutcome =
  | { readonly kind: 'event'; readonly event: PollEvent }
  | { readonly kind: 'expired' }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'failed'; readonly error: TandemError };

export interface OpenPoll {
  /** The client is gone, or the gateway wants to stop: the poll ends without an outcome and holds nothing. */
  cancel(): void;
}

/** There is nothing for the poll yet, but there may be then although nobody wakes it. */
export interface LookAgain {
  readonly lookAgainAt: EpochMillis;
}

export interface LongPollSource {
  readonly session: DeviceSession;
  readonly wake: ObservedKind;
  /** The oldest event for this poll, or undefined when there is none until a wake-up. */
  take(): Promise<PollEvent | LookAgain | undefined>;
  /**
   * What has to come off before the poll may expire; asked once, after a first `take` that found nothing. Where it rejects
   * the poll fails.
   */
  secured?(): Promise<void> | undefined;
  /** Called when the poll ends without an event: expired, cancelled or its session ended. */
  released?(): void;
}

export interface LongPollPorts {
  readonly events: DeviceEvents;
  readonly auth: DeviceAuth;
  readonly clock: Clock;
  readonly random: Random;
}

/** How long after a store did not answer a poll that waits looks again, and how much longer at most: not all at once. */
const RETRY: Millis = 1_000;
const RETRY_SPREAD: Millis = 500;

/**
 * A poll waits for at most one event (contract 1.5.1): reading -> waiting -> reading ... -> done. A wake-up while it reads
 * makes it read again, so that nothing falls between the read and the wait. Once it has read it outlives a store that is away.
 */
export class LongPoll implements OpenPoll {
  #state: 'reading' | 'waiting' | 'done' = 'waiting';
  #wokenWhileReading = false;
  #overdue = false;
  #hasRead = false;
  #securing = false;
  #unsecured: TandemError | undefined;
  /** The trace of the request that polls. */
  readonly #request = traceNow();
  readonly #timer: Timer;
  #lookAgain: Timer | undefined;
  readonly #unwatch: () => void;
  readonly #offSessionEnd: () => void;

  /** @param timeout a time at or below 0 expires at once */
  constructor(
    private readonly ports: LongPollPorts,
    private readonly source: LongPollSource,
    timeout: Millis,
    private readonly done: (outcome: PollOutcome) => void,
  ) {
    this.#unwatch = ports.events.watch(source.session.deviceId, (wake) => wake === source.wake && this.#read());
    this.#offSessionEnd = ports.auth.onSessionEnd(source.session, (reason) => this.#sessionEnded(reason));
    this.#timer = ports.clock.setTimer(Math.max(timeout, 0), () => this.#expire());
    this.#read();
  }

  cancel(): void {
    if (this.#state === 'done') return;
    this.#finish();
    this.source.released?.();
  }

  #read(): void {
    if (this.#state === 'done') return;
    if (this.#state === 'reading') {
      this.#wokenWhileReading = true;
      return;
    }
    this.#state = 'reading';
    this.#wokenWhileReading = false;
    this.#lookAgain?.cancel();
    this.source.take().then(
      (taken) => this.#taken(taken),
      (error) => this.#failed(TandemError.from(error)),
    );
  }

  #taken(taken: PollEvent | LookAgain | undefined): void {
    const event = taken && 'settled' in taken ? taken : undefined;
    if (this.#state === 'done') {
      event?.settled(false);
      return;
    }
    if (event) {
      this.#end({ kind: 'event', event: this.#followed(event) });
      return;
    }
    if (!this.#hasRead) {
      this.#hasRead = true;
      this.#secure();
    }
    this.#wait(taken && 'lookAgainAt' in taken ? taken.lookAgainAt : undefined);
  }

  /** The event as it is; its traces see it delivered. */
  #followed(event: PollEvent): PollEvent {
    const { session, wake } = this.source;
    const delivery = Delivery.of(wake, session.deviceId, 'http', event.traces, this.#request);
    if (!delivery) return event;
    return {
      message: event.message,
      settled(written) {
        delivery.run(() => event.settled(written));
        delivery.end(written ? 'written' : 'not delivered');
      },
    };
  }

  #failed(error: TandemError): void {
    if (this.#state === 'done') return;
    const { clock, random } = this.ports;
    if (this.#hasRead && error.code === 'STORE_UNAVAILABLE') {
      this.#wait(clock.now() + RETRY + random.fraction() * RETRY_SPREAD);
    } else this.#end({ kind: 'failed', error });
  }

  #wait(lookAgainAt: EpochMillis | undefined): void {
    this.#state = 'waiting';
    if (this.#wokenWhileReading) this.#read();
    else if (this.#unsecured) this.#end({ kind: 'failed', error: this.#unsecured });
    else if (this.#overdue) this.#expire();
    else if (lookAgainAt !== undefined) {
      this.#lookAgain = lookAgain(this.ports.clock, lookAgainAt, () => this.#read());
    }
  }

  #secure(): void {
    const secured = this.source.secured?.();
    if (!secured) return;
    this.#securing = true;
    secured.then(
      () => {
        this.#securing = false;
        if (this.#overdue && this.#state === 'waiting') this.#expire();
      },
      (error) => {
        this.#unsecured = TandemError.from(error);
        // What is being read would be lost: the next poll could not know of it.
        if (this.#state === 'waiting') this.#end({ kind: 'failed', error: this.#unsecured });
      },
    );
  }

  #expire(): void {
    if (this.#state === 'reading' || this.#securing) {
      this.#overdue = true;
      return;
    }
    this.#end({ kind: 'expired' });
  }

  #sessionEnded(reason: SessionEnd): void {
    this.#end(reason === 'deleted' ? { kind: 'deleted' } : { kind: 'expired' });
  }

  #end(outcome: PollOutcome): void {
    if (this.#state === 'done') return;
    this.#finish();
    if (outcome.kind !== 'event') this.source.released?.();
    this.done(outcome);
  }

  #finish(): void {
    this.#state = 'done';
    this.#timer.cancel();
    this.#lookAgain?.cancel();
    this.#unwatch();
    this.#offSessionEnd();
  }
}
