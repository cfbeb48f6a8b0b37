import { TandemError } from '../errors';
import type { Clock, Millis } from '../platform/clock';
import type { MetricsRegistry } from '../platform/metrics';
import type { FailureCounters, FailureLimit } from '../state/failure-counters';
import type { ProvisionOutcome } from './provision-outcome';
import { TryQueue } from './try-queue';

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
  /** Of addresses that requests are under way from, no more than there are requests. */
  readonly #queues = new Map<string, TryQueue>();
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
      return await (this.#isLimited ? this.#try(source, work) : work());
    } finally {
      this.#running--;
    }
  }

  /** As one of the tries of the address, which is taken before the work: many at once are no more tries than one by one. */
  async #try(source: ProvisionSource, work: () => Promise<ProvisionOutcome>): Promise<ProvisionOutcome> {
    const subject = subjectOf(source);
    const counters = source.proved ? this.shared : this.apart;
    const queue = this.#queueOf(`${source.proved} ${subject}`);
    if (!(await queue.enter(() => this.#take(counters, subject)))) {
      this.#crowded.add();
      throw tooMany('Too many devices of this address are being provisioned', SOON);
    }
    let failed = false;
    try {
      const outcome = await work();
      failed = outcome.status === 'NOT_FOUND';
      if (failed) await counters.fail(subject, this.limits.failures, this.clock.now(), { attempted: true });
      return outcome;
    } finally {
      if (failed) queue.leave();
      else {
        // The outcome does not wait for it: a try that is not given back is forgotten after a while.
        void counters
          .giveBack(subject, this.clock.now())
          .catch(() => {})
          .finally(() => queue.leave());
      }
    }
  }

  /** @returns whether there was a try left */
  async #take(counters: FailureCounters, subject: string): Promise<boolean> {
    const attempt = await counters.attempt(subject, this.limits.failures, this.clock.now());
    if (attempt.taken || attempt.lock === 0) return attempt.taken;
    this.#locked.add();
    throw tooMany('Too many unknown provisioning keys from this address', attempt.lock);
  }

  #queueOf(name: string): TryQueue {
    const known = this.#queues.get(name);
    if (known) return known;
    const queue = new TryQueue(() => this.#queues.delete(name));
    this.#queues.set(name, queue);
    return queue;
  }

  get #isLimited(): boolean {
    return this.limits.failures.max > 0;
  }
}

const subjectOf = ({ address }: ProvisionSource): string => `provisioning ${address}`;

const tooMany = (message: string, retryAfter: Millis) => new TandemError('TOO_MANY_REQUESTS', { message, retryAfter });
