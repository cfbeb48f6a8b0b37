interface Failure {
  /** For whoever looks for the reason why a device does not get in; nothing in it is secret. */
  readonly text: string;
  /** Whether somebody has tried what they do not have: that counts as wrong credentials of their address. */
  readonly isGuess: boolean;
}

const guess = (text: string): Failure => ({ text, isGuess: true });
/** Also devices that were known once get here: they must not keep those out that share their address. */
const fault = (text: string): Failure => ({ text, isGuess: false });

/** Why handshakes fail for what the client has shown or done. */
export const HANDSHAKE_FAILURES = {
  expired: fault('the certificate of the client, or one that it is from, has expired'),
  not_yet_valid: fault('the certificate of the client, or one that it is from, is not valid yet'),
  weak_key: fault('the certificate of the client, or one that it is from, has a key or a signature that is too weak'),
  too_large: guess('the client shows more certificates than are taken'),
  malformed: guess('the certificate of the client is none'),
  unknown_authority: guess('no authority of the trust store has issued the certificate of the client'),
  revoked: guess('the certificate of the client, or one that it is from, is revoked'),
  purpose: guess('the certificate of the client is not for clients'),
  untrusted: guess('the certificate of the client cannot be verified'),
  revocation_list: fault(
    'the list of revoked certificates does not hold: it is outdated, or lacks one of the authorities',
  ),
  wrong_signature: guess('the client does not have the key of its certificate'),
  wrong_key: guess('the client has a wrong pre-shared key, or names an identity that nobody has'),
  no_common_suite: fault('the client offers no cipher suite that is served'),
  protocol_version: fault('the client does not speak DTLS 1.2'),
  message_too_long: fault(
    'a message of the client is too long, as certificates of more than 32 KiB are, or in no order',
  ),
  by_client: fault('the client has broken it off'),
  other: fault('the client has sent what does not belong there'),
} as const satisfies Readonly<Record<string, Failure>>;

export type HandshakeFailure = keyof typeof HANDSHAKE_FAILURES;
