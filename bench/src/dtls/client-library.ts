type Koffi = typeof import('koffi', { with: { 'resolution-mode': 'import' }});

/** The functions of OpenSSL 3 that a client of DTLS needs, as its manual pages name them. */
const FUNCTIONS = {
  ERR_clear_error: 'void ERR_clear_error()',
  BIO_s_mem: 'void *BIO_s_mem()',
  BIO_new: 'void *BIO_new(void *type)',
  BIO_write: 'int BIO_write(void *b, const void *data, int len)',
  BIO_read: 'int BIO_read(void *b, void *data, int len)',
  BIO_ctrl: 'long BIO_ctrl(void *b, int cmd, long larg, void *parg)',
  DTLS_client_method: 'void *DTLS_client_method()',
  SSL_CTX_new: 'void *SSL_CTX_new(void *method)',
  SSL_CTX_set_options: 'uint64_t SSL_CTX_set_options(void *ctx, uint64_t options)',
  SSL_CTX_use_certificate_file: 'int SSL_CTX_use_certificate_file(void *ctx, const char *file, int type)',
  SSL_CTX_use_PrivateKey_file: 'int SSL_CTX_use_PrivateKey_file(void *ctx, const char *file, int type)',
  SSL_new: 'void *SSL_new(void *ctx)',
  SSL_free: 'void SSL_free(void *ssl)',
  SSL_ctrl: 'long SSL_ctrl(void *ssl, int cmd, long larg, void *parg)',
  SSL_set_bio: 'void SSL_set_bio(void *ssl, void *rbio, void *wbio)',
  SSL_set_connect_state: 'void SSL_set_connect_state(void *ssl)',
  SSL_set_session: 'int SSL_set_session(void *ssl, void *session)',
  SSL_get1_session: 'void *SSL_get1_session(void *ssl)',
  SSL_session_reused: 'int SSL_session_reused(void *ssl)',
  SSL_do_handshake: 'int SSL_do_handshake(void *ssl)',
  SSL_get_error: 'int SSL_get_error(void *ssl, int ret)',
  SSL_read: 'int SSL_read(void *ssl, void *buf, int num)',
  SSL_write: 'int SSL_write(void *ssl, const void *buf, int num)',
  SSL_shutdown: 'int SSL_shutdown(void *ssl)',
} as const;

/** An address in native memory. */
export type Pointer = bigint;
type Value = number | bigint | string | Buffer | null;
type PointerFunction = 'BIO_s_mem' | 'BIO_new' | 'DTLS_client_method' | 'SSL_CTX_new' | 'SSL_new' | 'SSL_get1_session';

export type ClientLibrary = {
  readonly [K in keyof typeof FUNCTIONS]: (...values: Value[]) => K extends PointerFunction ? Pointer : number;
};

let loaded: ClientLibrary | undefined;

/** The OpenSSL inside this node, the same as the gateway's. */
export function clientLibrary(): ClientLibrary {
  if (loaded === undefined) {
    const koffi: Koffi = require('koffi');
    const library = koffi.load(null);
    const functions = Object.entries(FUNCTIONS).map(([name, signature]) => [name, library.func(signature)]);
    loaded = Object.fromEntries(functions) as ClientLibrary;
  }
  return loaded;
}
