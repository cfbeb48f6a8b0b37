/** Numbers of OpenSSL's headers, which are the same in all of 3.x. */

/** SSL_ERROR_*, what `SSL_get_error` says. */
export const SSL_ERROR = { SSL: 1, WANT_READ: 2, ZERO_RETURN: 6 } as const;

/** Commands of `SSL_CTX_ctrl`. */
export const CTX_CTRL = {
  SET_SESS_CACHE_MODE: 44,
  SET_MAX_CERT_LIST: 51,
  SET_MAX_SEND_FRAGMENT: 52,
  SET_TLSEXT_TICKET_KEY_CB: 72,
  CHAIN_CERT: 89,
  SET_GROUPS_LIST: 92,
  SET_SIGALGS_LIST: 98,
  SET_MIN_PROTO_VERSION: 123,
  SET_MAX_PROTO_VERSION: 124,
} as const;

/** Commands of `SSL_ctrl`. */
export const SSL_CTRL = { SET_MTU: 17, DTLS_GET_TIMEOUT: 73, DTLS_HANDLE_TIMEOUT: 74 } as const;

/** Commands of `BIO_ctrl`. */
export const BIO_CTRL = { RESET: 1, SET_BUF_MEM_EOF_RETURN: 130 } as const;

export const SSL_OP = {
  NO_QUERY_MTU: 1n << 12n,
  NO_TICKET: 1n << 14n,
  CIPHER_SERVER_PREFERENCE: 1n << 22n,
  NO_RENEGOTIATION: 1n << 30n,
} as const;

/** SSL_SESS_CACHE_SERVER with SSL_SESS_CACHE_NO_INTERNAL: sessions live in tickets, not in memory. */
export const SESSIONS_IN_TICKETS = 0x302;

export const SSL_VERIFY_PEER = 1;

export const DTLS1_2 = 0xfefd;

/** NID_kx_psk and NID_kx_ecdhe_psk. */
export const KX_WITH_PSK: ReadonlySet<number> = new Set([1043, 1040]);

/** SSL_TICKET_STATUS, what has become of a ticket that a client has sent. */
export const TICKET_STATUS = { SUCCESS: 5, SUCCESS_RENEW: 6 } as const;

/** SSL_TICKET_RETURN, what is to be done with it. Ignored: a whole handshake, and a new ticket. */
export const TICKET_RETURN = { IGNORE_RENEW: 2, USE: 3, USE_RENEW: 4 } as const;

/** 128 bits, RSA of 2048 and no SHA-1: see SSL_CTX_set_security_level. */
export const AUTH_LEVEL = 2;

/** Results of certificate verification, each of which OpenSSL sends as an alert of its own. */
export const X509_V = {
  OK: 0,
  /** bad_certificate (42). */
  ERR_CERT_REJECTED: 28,
} as const;

export const X509_V_FLAG = { CRL_CHECK: 0x4, CRL_CHECK_ALL: 0x8, NO_CHECK_TIME: 0x200000 } as const;
