import { choice, flag, type Setting, text } from '../setting';

/** TLS on the HTTP listener (contract 1.1). */
export const HTTPS_SETTINGS = {
  SSL_ENABLED: flag(false, 'HTTPS instead of HTTP, on the same port'),
  SSL_CREDENTIALS_TYPE: choice<'PEM' | 'KEYSTORE'>(
    'PEM',
    ['PEM', 'KEYSTORE'],
    'Whether the certificate of the server is in PEM files or in a key store',
  ),
  SSL_PEM_CERT: text('server.pem', 'Certificate chain of the server, its own first; may also hold the key'),
  SSL_PEM_KEY: text('server_key.pem', 'Private key; not needed where the certificate file holds it'),
  SSL_PEM_KEY_PASSWORD: text('server_key_password', 'Of an encrypted private key', { secret: true }),
  SSL_KEY_STORE_TYPE: choice<'PKCS12' | 'JKS'>(
    'PKCS12',
    ['PKCS12', 'JKS'],
    'Kept for its name: what the key store is shows in the file. PKCS#12 is read; of a JKS the start says how to convert it',
  ),
  SSL_KEY_STORE: text('keystore/keystore.p12', 'Key store with the certificate and key of the server'),
  SSL_KEY_STORE_PASSWORD: text('thingsboard', 'Password of the key store', { secret: true }),
  SSL_KEY_ALIAS: text('tomcat', 'Which entry of a key store that holds several keys'),
  SSL_KEY_PASSWORD: text('thingsboard', 'Kept for its name: a key in PKCS#12 has the password of its store', {
    secret: true,
  }),
  TANDEM_SSL_CLIENT_CERTIFICATES: flag(
    false,
    'Whether a client certificate stands for its device on paths without a token; browsers then ask their users for one',
  ),
} as const satisfies Record<string, Setting<unknown>>;
