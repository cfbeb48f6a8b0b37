import { TandemError } from '../errors';
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

const accountOf = (email: string) => `account ${email.toLowerCase()}`;
const addressOf = ({ address }: LoginAttempt) => `address ${address}`;

/**
 * Keeps those who guess passwords from guessing on: by account, whether or not there is such an account, and by address.
 * A lock ends by time alone, and counts for logins alone: tokens and API keys go on working (adr/0031).
 */
export class LoginGuard {
  readonly #refused: { add(): void };
  readonly #accountsLocked: { add(): void };
  readonly #addressesLocked: { add(): void };

  constructor(
    private readonly failures: FailureCounters,
    private readonly limits: LoginLimits,
    private readonly clock: Clock,
    metrics: MetricsRegistry,
  ) {
    this.#refused = metrics.counter(
      'tandem_logins_locked_total',
      'Logins refused without a look at the password, for wrong ones before',
    );
    this.#accountsLocked = metrics.counter('tandem_accounts_locked_total', 'How often an account was locked');
    this.#addressesLocked = metrics.counter(
      'tandem_login_addresses_locked_total',
      'How often the logins of an address were locked',
    );
  }

  /** @throws TandemError TOO_MANY_REQUESTS for the address, UNAUTHORIZED for the account */
  async admit(attempt: LoginAttempt): Promise<void> {
    const named = this.#accountNamed(attempt);
    const now = this.clock.now();
    const [address, account] = await Promise.all([
      this.#isLimited('address') ? this.failures.locked(addressOf(attempt), now) : 0,
      named ? this.failures.locked(named, now) : 0,
    ]);
    if (address + account > 0) this.#refused.add();
    if (address > 0) throw tooMany(address);
    if (account > 0) throw locked();
  }

  /** The password, or what was guessed, was wrong. @returns whether the account has been locked by that */
  async failed(attempt: LoginAttempt): Promise<boolean> {
    const named = this.#accountNamed(attempt);
    const now = this.clock.now();
    const { account, address } = this.limits;
    const [accountLock, addressLock] = await Promise.all([
      named ? this.failures.fail(named, account, now) : 0,
      this.#isLimited('address') ? this.failures.fail(addressOf(attempt), address, now) : 0,
    ]);
    if (accountLock > 0) this.#accountsLocked.add();
    if (addressLock > 0) this.#addressesLocked.add();
    return accountLock > 0;
  }

  /** The password was right: the account counts anew. The address does not, or one who has an account could guess on. */
  async succeeded(attempt: LoginAttempt): Promise<void> {
    const named = this.#accountNamed(attempt);
    if (named) await this.failures.succeed(named);
  }

  /** The subject that counts for the account, where there is one and a limit. */
  #accountNamed({ email }: LoginAttempt): string | undefined {
    return email !== undefined && this.#isLimited('account') ? accountOf(email) : undefined;
  }

  #isLimited(what: keyof LoginLimits): boolean {
    return this.limits[what].max > 0;
  }
}

const tooMany = (retryAfter: Millis) =>
  new TandemError('TOO_MANY_REQUESTS', { message: 'Too many failed logins from this address', retryAfter });

const locked = () => new TandemError('UNAUTHORIZED', { message: 'User account is locked due to security policy' });
