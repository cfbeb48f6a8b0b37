import type { Uuid } from '../devices/model';
import type { EpochMillis, Millis } from '../platform/clock';

/**
 * A bucket of `count` tokens that is full to begin with and fills evenly, `count` in `seconds`: within any such time at
 * most twice the count gets through, in the long run the count.
 */
export interface RateLimit {
  readonly count: number;
  readonly seconds: number;
}

/** Whose bucket it is. */
export interface RateOwner {
  readonly scope: 'device' | 'tenant' | 'user';
  readonly id: Uuid;
}

/** What is wanted out of one bucket. */
export interface RateDemand {
  /** What is counted: a short word. Each word has a bucket of its own for each limit. */
  readonly what: string;
  readonly limit: RateLimit;
  /** Tokens, at least 1. More than the count of the limit are never had. Below 0: gives so many back, as far as they fit. */
  readonly cost: number;
}

export type RateTaken =
  | { readonly ok: true }
  /**
   * Nothing was taken. `demand` is the one that has to wait longest, `retryAfter` how long until its bucket has enough; for
   * one that is never met, the seconds of its limit.
   */
  | { readonly ok: false; readonly demand: RateDemand; readonly retryAfter: Millis };

/** Buckets of tokens that all processes take from. A bucket nobody takes from is forgotten: it would be full by then. */
export interface RateCounters {
  /**
   * Takes what is demanded out of all buckets of the owner, or out of none. Where the answer of the store got lost on the
   * way it may be taken twice. A clock that goes back fills nothing; one that goes back by more than the time of the limit
   * counts from there.
   * @param demands no two of the same `what` and limit
   */
  take(owner: RateOwner, demands: readonly RateDemand[], now: EpochMillis): Promise<RateTaken>;
}
