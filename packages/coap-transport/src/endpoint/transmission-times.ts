import type { Millis } from '@tandem/core';

/** What the times follow from (RFC 7252 section 4.8). */
export interface TransmissionParameters {
  readonly ackTimeout: Millis;
  readonly ackRandomFactor: number;
  readonly maxRetransmit: number;
}

/** RFC 7252 section 4.8.2, under its names. */
export interface TransmissionTimes {
  /** From the first transmission of a Confirmable message to its last one. */
  readonly maxTransmitSpan: Millis;
  /** From its first transmission until nothing about a Confirmable message matters any more. */
  readonly exchangeLifetime: Millis;
  /** The same for a Non-confirmable message, which a sender may have sent several times. */
  readonly nonLifetime: Millis;
}

/** MAX_LATENCY: how long a datagram may be on its way. */
const MAX_LATENCY: Millis = 100_000;

/** 45 s, 247 s and 145 s with the default parameters. */
export function transmissionTimes(parameters: TransmissionParameters): TransmissionTimes {
  const { ackTimeout, ackRandomFactor, maxRetransmit } = parameters;
  const maxTransmitSpan = ackTimeout * (2 ** maxRetransmit - 1) * ackRandomFactor;
  const maxTransmitWait = ackTimeout * (2 ** (maxRetransmit + 1) - 1) * ackRandomFactor;
  const processingDelay = ackTimeout;
  return {
    maxTransmitSpan,
    // With waits longer than a round trip, the last one of them outlives it.
    exchangeLifetime: Math.max(maxTransmitSpan + 2 * MAX_LATENCY + processingDelay, maxTransmitWait),
    nonLifetime: maxTransmitSpan + MAX_LATENCY,
  };
}
