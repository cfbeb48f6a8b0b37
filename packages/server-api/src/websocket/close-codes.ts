/** Why a session is closed (server contract 10.1; RFC 6455 section 7.4.1). */
export const CLOSE = {
  GOING_AWAY: 1001,
  UNSUPPORTED_DATA: 1003,
  /** Also a token in `authCmd` that is not valid, and a plugin that is not there. */
  BAD_DATA: 1007,
  POLICY_VIOLATION: 1008,
  /** Also a token in the URL that is not valid. */
  SERVER_ERROR: 1011,
  TRY_AGAIN_LATER: 1013,
} as const;
