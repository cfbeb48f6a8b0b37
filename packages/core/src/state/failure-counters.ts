import type { EpochMillis, Millis } from '../platform/clock';

/** When whoever fails again and again is locked. */
export interface FailureLimit {
  /** Failures that lock, at least 1. */
  readonly max: number;
  /** A failure is forgotten when no other one followed within this time. */
  readonly window: Millis;
  /** How long a lock lasts; then counting begins anew. */
  readonly lock: Millis;
}

export type Attempt =
  | { readonly taken: true }
  /** `lock`: how long the subject is locked; 0 where its tries are only under way. */
  | { readonly taken: false; readonly lock: Millis };

/** Failures of subjects, whoever they are, that all processes count together. Of nobody more is kept than a hash. */
export interface FailureCounters {
  /** How long the subject is still locked; 0 when it is not. */
  locked(subject: string, now: EpochMillis): Promise<Millis>;
  /**
   * One more failure, unless the subject is locked: a lock is not made longer. Where the answer of the store got lost on the
   * way it may be counted twice.
   * @returns as `locked`, with this failure
   */
  fail(
    subject: string,
    limit: FailureLimit,
    now: EpochMillis,
    /** It ends a try that `attempt` has taken. */
    options?: { readonly attempted?: boolean },
  ): Promise<Millis>;
  /**
   * Takes a try before its outcome is known, so that those who try much at once get no more tries: `max` of the limit, less
   * the failures that count and the tries under way. `fail` or `giveBack` ends it; one that nothing ends is forgotten in the
   * time of the window.
   */
  attempt(subject: string, limit: FailureLimit, now: EpochMillis): Promise<Attempt>;
  /** Ends a try that has not failed. */
  giveBack(subject: string, now: EpochMillis): Promise<void>;
  /**
   * Whether the subject has no try left as far as this process knows without asking anybody: locked, or its failures and the tries
   * under way are as many as the limit says. Left out where a process knows nothing by itself.
   */
  isSpent?(subject: string, limit: FailureLimit, now: EpochMillis): boolean;
  /** Forgets the failures of the subject; a lock stays. */
  succeed(subject: string): Promise<void>;
}
