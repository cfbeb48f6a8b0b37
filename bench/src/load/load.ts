/** A closed loop: every connection or peer sends its next request when the one before was answered. */
export interface Load {
  /** Resolves when the sockets are there and the first requests are on their way. */
  start(): Promise<void>;
  /** Sends nothing new; resolves when what was outstanding is answered or given up. */
  stop(): Promise<void>;
}

/** Microseconds on a monotonic clock. */
export type MonotonicMicros = () => number;

/** How long stop() waits for outstanding answers before it counts them as failures. */
export const DRAIN_LIMIT_MS = 10_000;
