import type { Environment } from '../../support/gateway-process';

/** Of every gateway: on a busy machine too, an answer that should be quick is piggybacked. */
export const UNHURRIED: Environment = { COAP_PIGGYBACK_TIMEOUT: '10000' };

/** What rows may be set to. As few as do: each is a gateway more for each store and file that uses it. */

/** Waiting ends soon. */
export const BRIEF: Environment = {
  HTTP_REQUEST_TIMEOUT: '800',
  HTTP_MAX_REQUEST_TIMEOUT: '1200',
  CLIENT_SIDE_RPC_TIMEOUT: '800',
  MIN_SERVER_SIDE_RPC_TIMEOUT: '200',
};

/** Strings of digits stay strings. */
export const CAST_OFF: Environment = { JSON_TYPE_CAST_ENABLED: 'false' };

/** What the default lets pass is limited or forbidden. */
export const STRICT: Environment = {
  JSON_MAX_STRING_VALUE_LENGTH: '10',
  SECURITY_CLAIM_ALLOW_CLAIMING_BY_DEFAULT: 'false',
  TANDEM_HTTP_GAP_DELIVERY: 'false',
};

/** A device may send one message with telemetry a minute, and one of another kind (contract 1.8). */
export const ONE_MESSAGE: Environment = {
  TANDEM_RATE_LIMIT_DEVICE_MSGS: '1:60',
  TANDEM_RATE_LIMIT_DEVICE_TELEMETRY_MSGS: '1:60',
};

/** An observer that does not acknowledge is given up within three to five seconds; answers are piggybacked as by default. */
export const IMPATIENT: Environment = {
  COAP_PIGGYBACK_TIMEOUT: '500',
  TANDEM_COAP_ACK_TIMEOUT: '100',
  COAP_TIMEOUT: '1500',
  MIN_SERVER_SIDE_RPC_TIMEOUT: '100',
};

/** With CoAP over DTLS: what it proves itself with is added at the start. */
export const SECURE: Environment = { COAP_DTLS_ENABLED: 'true' };

/** Certificates of devices may have expired. */
export const SECURE_AT_ANY_TIME: Environment = {
  ...SECURE,
  TB_COAP_X509_DTLS_SKIP_VALIDITY_CHECK_FOR_CLIENT_CERT: 'true',
};
