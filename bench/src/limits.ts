import type { FanOut } from './observers/fan-out';
import type { Protocol } from './servers/server-under-test';

/** The durable gateway, with all its checks, keeps at least this share of the requests/s of baseline B. */
export const MIN_THROUGHPUT_RATIO: Readonly<Record<Protocol, number>> = { http: 0.6, coap: 0.7 };

/** Anonymous memory of a started gateway before its first device request, bytes. */
const MAX_IDLE_BYTES = 150_000_000;

/** Growth of anonymous memory over the soak, percent: memory is bounded by configuration, not by traffic. */
const MAX_GROWTH_PERCENT = 20;

/** Anonymous memory that an observation costs while nothing happens, bytes. */
export const MAX_OBSERVATION_BYTES = 2_500;

/** CPU time of notifying many devices and hearing their ACKs, over that of as many exchanges of baseline A. */
export const MAX_FAN_OUT_RATIO = 4;

/** What of one protocol's run is judged; undefined: not measured, not judged. */
export interface Judged {
  readonly throughputRatio: number | undefined;
  readonly idleBytes: number | undefined;
  readonly growthPercent: number | undefined;
  readonly observationBytes?: number | undefined;
  readonly fanOut?: FanOut | undefined;
}

/** A sentence for each limit that is missed. */
export function missedLimits(protocol: Protocol, judged: Judged): string[] {
  const { throughputRatio, idleBytes, growthPercent, observationBytes, fanOut } = judged;
  const least = MIN_THROUGHPUT_RATIO[protocol];
  const missed: string[] = [];
  if (throughputRatio !== undefined && !(throughputRatio >= least)) {
    missed.push(`gateway / B is ${throughputRatio.toFixed(4)}, at least ${least} is wanted`);
  }
  if (idleBytes !== undefined && !(idleBytes < MAX_IDLE_BYTES)) {
    missed.push(`idle memory is ${megabytes(idleBytes)}, less than ${megabytes(MAX_IDLE_BYTES)} is wanted`);
  }
  if (growthPercent !== undefined && !(growthPercent < MAX_GROWTH_PERCENT)) {
    missed.push(`memory grew by ${growthPercent.toFixed(1)} %, less than ${MAX_GROWTH_PERCENT} % is wanted`);
  }
  if (observationBytes !== undefined && !(observationBytes <= MAX_OBSERVATION_BYTES)) {
    missed.push(
      `an idle observation costs ${observationBytes.toFixed(0)} bytes, at most ${MAX_OBSERVATION_BYTES} is wanted`,
    );
  }
  return fanOut === undefined ? missed : [...missed, ...missedByFanOut(fanOut)];
}

function missedByFanOut({ ratio, retransmissions }: FanOut): string[] {
  const missed: string[] = [];
  if (!(ratio <= MAX_FAN_OUT_RATIO)) {
    missed.push(`fan-out / A is ${ratio.toFixed(2)}, at most ${MAX_FAN_OUT_RATIO} is wanted`);
  }
  if (retransmissions !== 0) {
    missed.push(`notifications of the fan-out were repeated ${retransmissions} times, none is wanted`);
  }
  return missed;
}

/** Decimal megabytes, one digit behind the point. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
