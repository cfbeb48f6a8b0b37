import type { HandshakeFailure } from '../handshake-failure';

/** By X509_V_ERR_*, what the verification of certificates says; whatever is not in it is `untrusted`. */
const BY_VERIFICATION: ReadonlyMap<number, HandshakeFailure> = new Map([
  ...[9].map((code) => [code, 'not_yet_valid'] as const),
  ...[10].map((code) => [code, 'expired'] as const),
  ...[2, 18, 19, 20, 21].map((code) => [code, 'unknown_authority'] as const),
  ...[22].map((code) => [code, 'too_large'] as const),
  ...[23].map((code) => [code, 'revoked'] as const),
  ...[26].map((code) => [code, 'purpose'] as const),
  ...[3, 11, 12, 33].map((code) => [code, 'revocation_list'] as const),
  ...[66, 67, 68].map((code) => [code, 'weak_key'] as const),
]);

export const failureOfVerification = (code: number): HandshakeFailure => BY_VERIFICATION.get(code) ?? 'untrusted';

const BY_TEXT: readonly (readonly [RegExp, HandshakeFailure])[] = [
  // A fragment of a message that is too long is refused without an error.
  [/^$|excessive message size/, 'message_too_long'],
  [/\balert\b/, 'by_client'],
  [/no shared cipher/, 'no_common_suite'],
  [/unsupported protocol|version/, 'protocol_version'],
  [/bad signature/, 'wrong_signature'],
];

/** @param error in the words of OpenSSL, see `takeErrors` */
export const failureOf = (error: string): HandshakeFailure =>
  BY_TEXT.find(([text]) => text.test(error))?.[1] ?? 'other';
