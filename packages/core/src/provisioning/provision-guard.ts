import { TandemError } from '../errors';
import { FailureGate } from '../limits/failure-gate';
import { Tries, type TryRefusals } from '../limits/tries';
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
  /** Whether whoever sent it has gone, and cannot be told what he is. Left out where nobody knows. */
  readonly gone?: () => boolean;
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
  readonly #proved: Tries;
  readonly #apart: Tries;
  readonly #locked: { add(): void };
  readonly #crowded: { add(): void };

  /** @param apart counts the failures of those who have not proved to be where they say */
  constructor(
    shared: FailureCounters,
    apart: FailureCounters,
    private readonly limits: ProvisionLimits,
    clock: Pick<Clock, 'now'>,
    metrics: MetricsRegistry,
  ) {
    this.#locked = metrics.counter('tandem_provisions_total', { outcome: 'locked' });
    this.#crowded = metrics.counter('tandem_limit_hits_total', { limit: 'TANDEM_PROVISION_MAX_RUNNING' });
    const tries = (counters: FailureCounters) =>
      new Tries(new FailureGate(counters, 'provisioning', limits.failures, clock), this.#refusals());
    this.#proved = tries(shared);
    this.#apart = tries(apart);
    metrics.gauge('tandem_provisions_running', () => this.#running);
  }

  /** @throws TandemError TOO_MANY_REQUESTS, before the work, and whatever the work throws */
  async run(source: ProvisionSource, work: () => Promise<ProvisionOutcome>): Promise<ProvisionOutcome> {
    if (this.#running >= this.limits.maxRunning) {
      this.#crowded.add();
      throw tooMany('Too many devices are being provisioned', SOON);
    }
    this.#running++;
    try {
      return await (source.proved ? this.#proved : this.#apart).run(source.address, work, isUnknown);
    } finally {
      this.#running--;
    }
  }

  #refusals(): TryRefusals {
    return {
      locked: (lock) => {
        this.#locked.add();
        return tooMany('Too many unknown provisioning keys from this address', lock);
      },
      crowded: () => {
        this.#crowded.add();
        return tooMany('Too many devices of this address are being provisioned', SOON);
      },
    };
  }
}

const isUnknown = ({ status }: ProvisionOutcome): boolean => status === 'NOT_FOUND';

const tooMany = (message: string, retryAfter: Millis) => new TandemError('TOO_MANY_REQUESTS', { message, retryAfter });
