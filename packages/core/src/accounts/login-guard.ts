import { TandemError } from '../errors';
import { FailureGate } from '../limits/failure-gate';
import type { Clock, Millis } from '../platform/clock';
import type { MetricsRegistry } from '../platform/metrics';
import type { FailureCounters, FailureLimit } from '../state/failure-counters';

/** `max` 0: no limit. */
export interface LoginLimits {
  readonly account: FailureLimit;
  readonly address: FailureLimit;
}

/** Who wants to log in, and from where. */
export interface LoginAttempt {
  /** Left out where no account is named. */
  readonly email?: string;
  /** Of the caller, in a form of which nobody has many. */
  readonly address: string;
}

const accountOf = (email: string) => email.toLowerCase();

/**
 * Keeps those who guess passwords from guessing on: by account, whether or not there is such an account, and by address.
 * A lock ends by time alone, and counts for logins alone: tokens and API keys go on working (adr/0031).
 */
export class LoginGuard {
  readonly #accounts: FailureGate;
  readonly #addresses: FailureGate;
  readonly #refused: { add(): void };
  readonly #accountsLocked: { add(): void };
  readonly #addressesLocked: { add(): void };

  constructor(failures: FailureCounters, limits: LoginLimits, clock: Pick<Clock, 'now'>, metrics: MetricsRegistry) {
    this.#accounts = new FailureGate(failures, 'account', limits.account, clock);
    this.#addresses = new FailureGate(failures, 'address', limits.address, clock);
    this.#refused = metrics.counter('tandem_logins_locked_total');
    this.#accountsLocked = metrics.counter('tandem_accounts_locked_total');
    this.#addressesLocked = metrics.counter('tandem_login_addresses_locked_total');
  }

  /** @throws TandemError TOO_MANY_REQUESTS for the address, UNAUTHORIZED for the account */
  async admit({ email, address: from }: LoginAttempt): Promise<void> {
    const [address, account] = await Promise.all([
      this.#addresses.locked(from),
      email === undefined ? 0 : this.#accounts.locked(accountOf(email)),
    ]);
    if (address + account > 0) this.#refused.add();
    if (address > 0) throw tooMany(address);
    if (account > 0) throw locked();
  }

  /** The password, or what was guessed, was wrong. @returns whether the account has been locked by that */
  async failed({ email, address: from }: LoginAttempt): Promise<boolean> {
    const [account, address] = await Promise.all([
      email === undefined ? 0 : this.#accounts.failed(accountOf(email)),
      this.#addresses.failed(from),
    ]);
    if (account > 0) this.#accountsLocked.add();
    if (address > 0) this.#addressesLocked.add();
    return account > 0;
  }

  /** The password was right: the account counts anew. The address does not, or one who has an account could guess on. */
  async succeeded({ email }: LoginAttempt): Promise<void> {
    if (email !== undefined) await this.#accounts.succeeded(accountOf(email));
  }
}

const tooMany = (retryAfter: Millis) =>
  new TandemError('TOO_MANY_REQUESTS', { message: 'Too many failed logins from this address', retryAfter });

const locked = () => new TandemError('UNAUTHORIZED', { message: 'User account is locked due to security policy' });
