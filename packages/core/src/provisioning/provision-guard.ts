import { TandemError } from '../errors';
import type { Clock, Millis } from '../platform/clock';
import type { MetricsRegistry } from '../platform/metrics';
import type { FailureCounters, FailureLimit } from '../state/failure-counters';
import type { ProvisionOutcome } from './provision-outcome';

/** Where a request comes from. */
export interface ProvisionSource {
  /** In a form of which nobody has many: an IPv4 address, the /64 network of an IPv6 address. */
  readonly address: string;
  /**
   * Whether whoever sent it is known to be there. Anybody can write an address on a datagram: failures under such a name are
   * counted apart, so that nobody is kept out of other doors by them, and in this process alone, so that they fill no store.
   */
  readonly proved: boolean;
}

export interface ProvisionLimits {
  /** Of NOT_FOUND answers to one address; `max` 0: no limit. */
  readonly failures: FailureLimit;
  /** Requests of this process at the same time. */
  readonly maxRunning: number;
}

/** When to come again where only the moment was wrong. */
const SOON: Millis = 1_000;

/**
 * Keeps strangers from trying provisioning keys until one fits, and from making the store busy: both before it is asked for
 * the key (ADR 25).
 */
export class ProvisionGuard {
  #running = 0;
  readonly #locked: { add(): void };
  readonly #crowded: { add(): void };

  /** @param apart counts the failures of those who have not proved to be where they say */
  constructor(
    private readonly shared: FailureCounters,
    private readonly apart: FailureCounters,
    private readonly limits: ProvisionLimits,
    private readonly clock: Clock,
    metrics: MetricsRegistry,
  ) {
    this.#locked = metrics.counter(
      'tandem_provisions_locked_total',
      'Provisioning requests refused without a look at the key, for wrong ones of the same address before',
    );
    this.#crowded = metrics.counter(
      'tandem_provisions_crowded_total',
      'Provisioning requests refused for too many at the same time',
    );
    metrics.gauge('tandem_provisions_running', 'Provisioning requests under way', () => this.#running);
  }

  /** @throws TandemError TOO_MANY_REQUESTS, before the work, and whatever the work throws */
  async run(source: ProvisionSource, work: () => Promise<ProvisionOutcome>): Promise<ProvisionOutcome> {
    if (this.#running >= this.limits.maxRunning) {
      this.#crowded.add();
      throw tooMany('Too many devices are being provisioned', SOON);
    }
    this.#running++;
    try {
      await this.#admit(source);
      const outcome = await work();
      if (outcome.status === 'NOT_FOUND') await this.#failed(source);
      return outcome;
    } finally {
      this.#running--;
    }
  }

  async #admit(source: ProvisionSource): Promise<void> {
    if (!this.#isLimited) return;
    const lock = await this.#counters(source).locked(subjectOf(source), this.clock.now());
    if (lock === 0) return;
    this.#locked.add();
    throw tooMany('Too many unknown provisioning keys from this address', lock);
  }

  async #failed(source: ProvisionSource): Promise<void> {
    if (!this.#isLimited) return;
    await this.#counters(source).fail(subjectOf(source), this.limits.failures, this.clock.now());
  }

  get #isLimited(): boolean {
    return this.limits.failures.max > 0;
  }

  #counters({ proved }: ProvisionSource): FailureCounters {
    return proved ? this.shared : this.apart;
  }
}

const subjectOf = ({ address }: ProvisionSource): string => `provisioning ${address}`;

const tooMany = (message: string, retryAfter: Millis) => new TandemError('TOO_MANY_REQUESTS', { message, retryAfter });
