/** The durable gateway, with all its checks, keeps at least this share of the requests/s of baseline B. */
export const MIN_THROUGHPUT_RATIO = 0.6;

/** Anonymous memory of a started gateway before its first device request, bytes. */
export const MAX_IDLE_BYTES = 150_000_000;

/** Growth of anonymous memory over the soak, percent: memory is bounded by configuration, not by traffic. */
export const MAX_GROWTH_PERCENT = 20;

/** What of one protocol's run is judged; undefined: not measured, not judged. */
export interface Judged {
  readonly throughputRatio: number | undefined;
  readonly idleBytes: number | undefined;
  readonly growthPercent: number | undefined;
}

/** A sentence for each limit that is missed. */
export function missedLimits(judged: Judged): string[] {
  const { throughputRatio, idleBytes, growthPercent } = judged;
  const missed: string[] = [];
  if (throughputRatio !== undefined && !(throughputRatio >= MIN_THROUGHPUT_RATIO)) {
    missed.push(`gateway / B is ${throughputRatio.toFixed(4)}, at least ${MIN_THROUGHPUT_RATIO} is wanted`);
  }
  if (idleBytes !== undefined && !(idleBytes < MAX_IDLE_BYTES)) {
    missed.push(`idle memory is ${megabytes(idleBytes)}, less than ${megabytes(MAX_IDLE_BYTES)} is wanted`);
  }
  if (growthPercent !== undefined && !(growthPercent < MAX_GROWTH_PERCENT)) {
    missed.push(`memory grew by ${growthPercent.toFixed(1)} %, less than ${MAX_GROWTH_PERCENT} % is wanted`);
  }
  return missed;
}

/** Decimal megabytes, one digit behind the point. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
