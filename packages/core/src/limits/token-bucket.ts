import type { EpochMillis, Millis } from '../platform/clock';
import type { RateLimit } from '../state/rate-counters';

/** What a bucket holds, and since when. */
export interface TokenBucket {
  readonly tokens: number;
  readonly at: EpochMillis;
}

/** Sums of fractions miss a whole token by less than this. */
const ROUNDING = 1e-6;

const windowOf = ({ seconds }: RateLimit): Millis => seconds * 1_000;

/** The bucket as it is now; full where there is none yet. */
export function filled(bucket: TokenBucket | undefined, limit: RateLimit, now: EpochMillis): TokenBucket {
  if (!bucket) return { tokens: limit.count, at: now };
  const elapsed = now - bucket.at;
  if (elapsed < -windowOf(limit)) return { tokens: bucket.tokens, at: now };
  if (elapsed <= 0) return bucket;
  return { tokens: Math.min(limit.count, bucket.tokens + (elapsed * limit.count) / windowOf(limit)), at: now };
}

export const holds = ({ tokens }: TokenBucket, cost: number): boolean => tokens + ROUNDING >= cost;

/** How long until it holds as much; the time of the limit where it never will. */
export function waitFor({ tokens, at }: TokenBucket, limit: RateLimit, cost: number, now: EpochMillis): Millis {
  if (cost > limit.count) return windowOf(limit);
  return Math.max(Math.ceil(((cost - tokens) * windowOf(limit)) / limit.count + at - now), 1);
}
