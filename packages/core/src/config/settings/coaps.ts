import { choice, flag, millis, port, type Setting, text, whole } from '../setting';

/** CoAP over DTLS (contract 2.1, 2.11). */
export const COAPS_SETTINGS = {
  COAP_DTLS_ENABLED: flag(
    false,
    'Whether the role `coap` serves CoAP over DTLS, without plain CoAP where `COAP_ENABLED` is false; the role `coaps` always does',
  ),
  COAP_DTLS_BIND_ADDRESS: text('0.0.0.0', 'Address of CoAP over DTLS'),
  COAP_DTLS_BIND_PORT: port(5684, 'Port of CoAP over DTLS (UDP)'),
  COAP_DTLS_CREDENTIALS_TYPE: choice<'PEM' | 'KEYSTORE'>(
    'PEM',
    ['PEM', 'KEYSTORE'],
    'Whether the certificate of the server is in PEM files or in a key store',
  ),
  COAP_DTLS_PEM_CERT: text('coapserver.pem', 'Certificate chain of the server, its own first; may also hold the key'),
  COAP_DTLS_PEM_KEY: text('coapserver_key.pem', 'Private key; not needed where the certificate file holds it'),
  TANDEM_COAP_DTLS_SELF_SIGNED: flag(
    false,
    'Whether a certificate is made up, in `<data dir>/coaps-self-signed.pem`, where the file of `COAP_DTLS_PEM_CERT` is not there. To try it: nobody vouches for it, and every data folder has another',
  ),
  COAP_DTLS_PEM_KEY_PASSWORD: text('server_key_password', 'Of an encrypted private key', {
    secret: true,
  }),
  COAP_DTLS_KEY_STORE_TYPE: choice<'JKS' | 'PKCS12'>(
    'JKS',
    ['JKS', 'PKCS12'],
    'Kept for its name: what the key store is shows in the file. PKCS#12 is read; of a JKS the start says how to convert it',
  ),
  COAP_DTLS_KEY_STORE: text('coapserver.jks', 'Key store with the certificate and key of the server'),
  COAP_DTLS_KEY_STORE_PASSWORD: text('server_ks_password', 'Password of the key store', {
    secret: true,
  }),
  COAP_DTLS_KEY_ALIAS: text('serveralias', 'Which entry of a key store that holds several keys'),
  COAP_DTLS_KEY_PASSWORD: text(
    'server_key_password',
    'Kept for its name: a key in PKCS#12 has the password of its store',
    {
      secret: true,
    },
  ),
  TB_COAP_X509_DTLS_SKIP_VALIDITY_CHECK_FOR_CLIENT_CERT: flag(
    false,
    'Whether certificates of devices are taken that have expired or are not valid yet',
  ),
  TB_COAP_X509_DTLS_SESSION_INACTIVITY_TIMEOUT: millis(
    86_400_000,
    'A DTLS session of which nothing is heard for this long is closed, and the device has to make another; one that no device is known of is after a minute',
  ),
  TB_COAP_X509_DTLS_SESSION_REPORT_TIMEOUT: millis(1_800_000, 'How often such sessions are looked for'),
  TANDEM_COAP_DTLS_PSK: flag(
    false,
    'Whether devices may have a pre-shared key, credentials of the type PSK, instead of a certificate',
  ),
  TANDEM_COAP_DTLS_CCM8: flag(
    true,
    'Whether the cipher suites with AES-128-CCM-8 are offered, which RFC 7252 asks of every device with DTLS',
  ),
  TANDEM_COAP_DTLS_MTU: whole(
    1_024,
    { min: 256, max: 1_500, unit: 'bytes' },
    'Longest datagram of a handshake; longer messages of it are sent in fragments',
  ),
  TANDEM_COAP_DTLS_MAX_SESSIONS: whole(
    10_000,
    { min: 1 },
    'DTLS sessions of this process, about 50 kB each; those that no device is known of take a quarter at the most, and are closed first, then the one that was silent for longest',
  ),
  TANDEM_COAP_DTLS_MAX_SESSIONS_PER_ADDRESS: whole(
    2_000,
    { min: 1 },
    'Those of one address, or one /64 network of IPv6; for one more one of its own is closed in the same order',
  ),
  TANDEM_COAP_DTLS_MAX_HANDSHAKES: whole(
    512,
    { min: 1 },
    'DTLS handshakes of this process under way whose client has proved its address; for one more the oldest of the address that has most goes',
  ),
  TANDEM_COAP_DTLS_MAX_HANDSHAKES_PER_ADDRESS: whole(
    64,
    { min: 1 },
    'Those of one address, or one /64 network of IPv6; for one more its own oldest goes',
  ),
  TANDEM_COAP_DTLS_HANDSHAKE_TIMEOUT: millis(60_000, 'How long a DTLS handshake may take'),
  TANDEM_COAP_DTLS_RESUMPTION_TIME: whole(
    86_400,
    { min: 0, max: 604_800, unit: 's' },
    'How long a client may resume a DTLS session from another port with a short handshake; 0: never',
  ),
} as const satisfies Record<string, Setting<unknown>>;
