import { type LabelValue, METRICS } from '@tandem/core';

/** Why handshakes fail for what the client has shown or done. */
export type HandshakeFailure = LabelValue<'tandem_dtls_handshake_failures_total', 'reason'>;

/** For whoever looks for the reason why a device does not get in; nothing in them is secret. */
export const HANDSHAKE_FAILURES: Readonly<Record<HandshakeFailure, string>> =
  METRICS.tandem_dtls_handshake_failures_total.labels.reason;

/**
 * Somebody has tried what they do not have: that counts as wrong credentials of their address. With the others also devices that
 * were known once get there: they must not keep those out that share their address.
 */
const GUESSES: ReadonlySet<HandshakeFailure> = new Set<HandshakeFailure>([
  'too_large',
  'malformed',
  'unknown_authority',
  'revoked',
  'purpose',
  'untrusted',
  'wrong_signature',
  'wrong_key',
]);

export const isGuess = (failure: HandshakeFailure): boolean => GUESSES.has(failure);
