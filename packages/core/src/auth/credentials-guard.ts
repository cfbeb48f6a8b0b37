import { TandemError } from '../errors';
import { FailureGate } from '../limits/failure-gate';
import { Tries } from '../limits/tries';
import type { Clock, Millis } from '../platform/clock';
import type { MetricsRegistry } from '../platform/metrics';
import type { FailureCounters, FailureLimit } from '../state/failure-counters';
import { LockedAddresses } from './locked-addresses';

export interface CredentialsLimits {
  /** Of wrong credentials of one address; `max` 0: nobody is locked out. */
  readonly failures: FailureLimit;
  /** Addresses that this process knows to be locked. */
  readonly maxLocked: number;
  /** Lookups of this process that are under way or wait for their turn. */
  readonly maxLookups: number;
}

/** When to come again where only the moment was wrong. */
const SOON: Millis = 1_000;

type Found<T> = { readonly wrong: false; readonly session: T } | { readonly wrong: true; readonly error: TandemError };

/**
 * Keeps strangers from trying credentials of devices until some fit (adr/0041). Addresses are as `callerAddress` names them, and
 * only those that whoever sent a request is known to be at: anybody can write another one on a datagram.
 */
export class CredentialsGuard {
  readonly #gate: FailureGate;
  readonly #tries: Tries;
  readonly #locks: LockedAddresses;
  readonly #maxLookups: number;
  #lookups = 0;
  readonly #wrong: { add(): void };
  readonly #locked: { add(): void };
  readonly #refused: { add(): void };
  readonly #crowded: { add(): void };

  constructor(failures: FailureCounters, limits: CredentialsLimits, clock: Clock, metrics: MetricsRegistry) {
    this.#gate = new FailureGate(failures, 'credentials', limits.failures, clock);
    this.#locks = new LockedAddresses(limits.maxLocked, clock);
    this.#maxLookups = limits.maxLookups;
    this.#tries = new Tries(this.#gate, {
      locked: (lock) => this.#refusal(lock),
      crowded: () => this.#busy('Too many credentials of this address are being looked up'),
    });
    this.#wrong = metrics.counter('tandem_wrong_credentials_total');
    this.#locked = metrics.counter('tandem_addresses_locked_total');
    this.#refused = metrics.counter('tandem_locked_addresses_refused_total');
    this.#crowded = metrics.counter('tandem_limit_hits_total', { limit: 'TANDEM_CREDENTIALS_MAX_LOOKUPS' });
    metrics.gauge('tandem_locked_addresses', () => this.#locks.size);
    metrics.gauge('tandem_credentials_guarded_lookups', () => this.#lookups);
  }

  /** To be asked before a caller's address is worked out: false costs nothing. */
  get anyLocked(): boolean {
    return this.#locks.any;
  }

  /** To be asked before a caller's address is worked out for `hasToWait`: false costs nothing. */
  get anyLookedUp(): boolean {
    return this.#tries.any;
  }

  /**
   * Whether credentials that this process has in its cache are to be found by `look` all the same, behind those that are being looked
   * up for their address: these may be as many wrong ones as lock it, and among them a right one must not show by being answered.
   */
  hasToWait(address: string): boolean {
    return this.#tries.any && this.#gate.isSpent(address);
  }

  /** Of a door that answers nothing to who is locked: counted as refused. */
  isLocked(address: string): boolean {
    const locked = this.#locks.left(address) > 0;
    if (locked) this.#refused.add();
    return locked;
  }

  /**
   * To be called before credentials are looked at, also those that this process has in its cache: a guess that is right must not
   * be told apart.
   * @throws TandemError TOO_MANY_REQUESTS
   */
  admit(address: string): void {
    const lock = this.#locks.left(address);
    if (lock > 0) throw this.#refusal(lock);
  }

  /**
   * Looks credentials up that may be guessed.
   * @param look throws UNAUTHORIZED for wrong ones
   * @throws TandemError TOO_MANY_REQUESTS for an address that is locked; and what `look` throws
   */
  async look<T>(address: string, look: () => Promise<T>): Promise<T> {
    if (!this.#gate.limits)
      return look().catch((error) => {
        const wrong = unauthorized(error);
        this.#wrong.add();
        throw wrong;
      });
    this.admit(address);
    if (this.#lookups >= this.#maxLookups) throw this.#busy('Too many credentials are being looked up');
    this.#lookups++;
    try {
      const found = await this.#tries.run(
        address,
        () => this.#look(address, look),
        ({ wrong }) => wrong,
        (lock) => this.#lock(address, lock),
      );
      if (found.wrong) throw found.error;
      return found.session;
    } finally {
      this.#lookups--;
    }
  }

  /** Wrong credentials that were found to be so without `look`, as in a handshake. */
  failed(address: string): void {
    this.#wrong.add();
    void this.#gate.failed(address).then((lock) => this.#lock(address, lock));
  }

  async #look<T>(address: string, look: () => Promise<T>): Promise<Found<T>> {
    // Others may have guessed while this one waited for its turn; or in another process, which is asked meanwhile.
    this.admit(address);
    const elsewhere = this.#gate.locked(address);
    const found = await look().then(
      (session): Found<T> => ({ wrong: false, session }),
      (error): Found<T> => ({ wrong: true, error: unauthorized(error) }),
    );
    // Nobody who is locked there learns here that credentials are wrong, or right.
    this.#lock(address, await elsewhere);
    this.admit(address);
    if (found.wrong) this.#wrong.add();
    return found;
  }

  #lock(address: string, lock: Millis): void {
    if (lock > 0 && this.#locks.add(address, lock)) this.#locked.add();
  }

  #refusal(retryAfter: Millis): TandemError {
    this.#refused.add();
    return new TandemError('TOO_MANY_REQUESTS', {
      message: 'Too many wrong credentials from this address',
      retryAfter,
    });
  }

  #busy(message: string): TandemError {
    this.#crowded.add();
    return new TandemError('TOO_MANY_REQUESTS', { message, retryAfter: SOON });
  }
}

/** What says that credentials are wrong. @throws what says anything else */
function unauthorized(error: unknown): TandemError {
  if (error instanceof TandemError && error.code === 'UNAUTHORIZED') return error;
  throw error;
}
