/** An address in native memory. `null`: none, which most functions of OpenSSL take for a crash. */
export type Pointer = bigint;
export type MaybePointer = Pointer | null;
type Bytes = Buffer | Uint8Array;

/**
 * The functions of OpenSSL 3 that are used, as its manual pages name them. Macros of its headers are calls of `*_ctrl` with
 * the numbers of `constants.ts`.
 */
const FUNCTIONS = {
  OpenSSL_version_num: 'unsigned long OpenSSL_version_num()',
  ERR_clear_error: 'void ERR_clear_error()',
  ERR_get_error: 'unsigned long ERR_get_error()',
  ERR_error_string_n: 'void ERR_error_string_n(unsigned long e, void *buf, size_t len)',

  BIO_s_mem: 'void *BIO_s_mem()',
  BIO_new: 'void *BIO_new(void *type)',
  BIO_free: 'int BIO_free(void *b)',
  BIO_write: 'int BIO_write(void *b, const void *data, int len)',
  BIO_read: 'int BIO_read(void *b, void *data, int len)',
  BIO_ctrl: 'long BIO_ctrl(void *b, int cmd, long larg, void *parg)',
  BIO_ctrl_pending: 'size_t BIO_ctrl_pending(void *b)',
  BIO_ADDR_new: 'void *BIO_ADDR_new()',

  DTLS_server_method: 'void *DTLS_server_method()',
  SSL_CTX_new: 'void *SSL_CTX_new(void *method)',
  SSL_CTX_set_not_resumable_session_callback:
    'void SSL_CTX_set_not_resumable_session_callback(void *ctx, void *callback)',
  SSL_CTX_free: 'void SSL_CTX_free(void *ctx)',
  SSL_CTX_ctrl: 'long SSL_CTX_ctrl(void *ctx, int cmd, long larg, void *parg)',
  SSL_CTX_callback_ctrl: 'long SSL_CTX_callback_ctrl(void *ctx, int cmd, void *callback)',
  SSL_CTX_set_options: 'uint64_t SSL_CTX_set_options(void *ctx, uint64_t options)',
  SSL_CTX_set_cipher_list: 'int SSL_CTX_set_cipher_list(void *ctx, const char *list)',
  SSL_CTX_use_certificate: 'int SSL_CTX_use_certificate(void *ctx, void *x509)',
  SSL_CTX_use_PrivateKey: 'int SSL_CTX_use_PrivateKey(void *ctx, void *pkey)',
  SSL_CTX_check_private_key: 'int SSL_CTX_check_private_key(void *ctx)',
  SSL_CTX_set_verify: 'void SSL_CTX_set_verify(void *ctx, int mode, void *callback)',
  SSL_CTX_set_cert_verify_callback: 'void SSL_CTX_set_cert_verify_callback(void *ctx, void *callback, void *arg)',
  SSL_CTX_get_cert_store: 'void *SSL_CTX_get_cert_store(void *ctx)',
  SSL_CTX_set_cookie_generate_cb: 'void SSL_CTX_set_cookie_generate_cb(void *ctx, void *callback)',
  SSL_CTX_set_cookie_verify_cb: 'void SSL_CTX_set_cookie_verify_cb(void *ctx, void *callback)',
  SSL_CTX_set_psk_server_callback: 'void SSL_CTX_set_psk_server_callback(void *ctx, void *callback)',
  SSL_CTX_set_session_id_context: 'int SSL_CTX_set_session_id_context(void *ctx, const void *id, unsigned int len)',
  SSL_CTX_set_timeout: 'long SSL_CTX_set_timeout(void *ctx, long seconds)',

  SSL_new: 'void *SSL_new(void *ctx)',
  SSL_free: 'void SSL_free(void *ssl)',
  SSL_ctrl: 'long SSL_ctrl(void *ssl, int cmd, long larg, void *parg)',
  SSL_set_bio: 'void SSL_set_bio(void *ssl, void *rbio, void *wbio)',
  SSL_set_accept_state: 'void SSL_set_accept_state(void *ssl)',
  SSL_do_handshake: 'int SSL_do_handshake(void *ssl)',
  SSL_get_error: 'int SSL_get_error(void *ssl, int ret)',
  SSL_read: 'int SSL_read(void *ssl, void *buf, int num)',
  SSL_write: 'int SSL_write(void *ssl, const void *buf, int num)',
  SSL_shutdown: 'int SSL_shutdown(void *ssl)',
  SSL_session_reused: 'int SSL_session_reused(void *ssl)',
  SSL_get_psk_identity: 'const char *SSL_get_psk_identity(void *ssl)',
  SSL_get_current_cipher: 'void *SSL_get_current_cipher(void *ssl)',
  SSL_get_pending_cipher: 'void *SSL_get_pending_cipher(void *ssl)',
  SSL_CIPHER_get_name: 'const char *SSL_CIPHER_get_name(void *cipher)',
  SSL_CIPHER_get_kx_nid: 'int SSL_CIPHER_get_kx_nid(void *cipher)',
  SSL_get_session: 'void *SSL_get_session(void *ssl)',
  SSL_SESSION_set1_ticket_appdata: 'int SSL_SESSION_set1_ticket_appdata(void *session, const void *data, size_t len)',
  SSL_SESSION_get0_ticket_appdata: 'int SSL_SESSION_get0_ticket_appdata(void *session, void *data, void *len)',
  SSL_CTX_set_session_ticket_cb:
    'int SSL_CTX_set_session_ticket_cb(void *ctx, void *generate, void *decrypt, void *arg)',
  DTLSv1_listen: 'int DTLSv1_listen(void *ssl, void *client)',

  PEM_read_bio_X509: 'void *PEM_read_bio_X509(void *bio, void *x, void *callback, void *u)',
  PEM_read_bio_X509_CRL: 'void *PEM_read_bio_X509_CRL(void *bio, void *x, void *callback, void *u)',
  PEM_read_bio_PrivateKey: 'void *PEM_read_bio_PrivateKey(void *bio, void *x, void *callback, void *u)',
  EVP_PKEY_free: 'void EVP_PKEY_free(void *pkey)',
  X509_free: 'void X509_free(void *x509)',
  X509_CRL_free: 'void X509_CRL_free(void *crl)',
  i2d_X509_bio: 'int i2d_X509_bio(void *bio, void *x509)',
  X509_STORE_add_cert: 'int X509_STORE_add_cert(void *store, void *x509)',
  X509_STORE_add_crl: 'int X509_STORE_add_crl(void *store, void *crl)',
  X509_STORE_set_flags: 'int X509_STORE_set_flags(void *store, unsigned long flags)',
  X509_STORE_CTX_get0_untrusted: 'void *X509_STORE_CTX_get0_untrusted(void *ctx)',
  X509_STORE_CTX_get_error: 'int X509_STORE_CTX_get_error(void *ctx)',
  X509_STORE_CTX_set_error: 'void X509_STORE_CTX_set_error(void *ctx, int error)',
  X509_STORE_CTX_set_flags: 'void X509_STORE_CTX_set_flags(void *ctx, unsigned long flags)',
  X509_STORE_CTX_get0_param: 'void *X509_STORE_CTX_get0_param(void *ctx)',
  X509_VERIFY_PARAM_set_auth_level: 'void X509_VERIFY_PARAM_set_auth_level(void *param, int level)',
  X509_verify_cert: 'int X509_verify_cert(void *ctx)',
  OPENSSL_sk_num: 'int OPENSSL_sk_num(void *stack)',
  OPENSSL_sk_value: 'void *OPENSSL_sk_value(void *stack, int i)',

  EVP_aes_256_cbc: 'void *EVP_aes_256_cbc()',
  EVP_sha256: 'void *EVP_sha256()',
  EVP_EncryptInit_ex: 'int EVP_EncryptInit_ex(void *ctx, void *type, void *engine, const void *key, const void *iv)',
  EVP_DecryptInit_ex: 'int EVP_DecryptInit_ex(void *ctx, void *type, void *engine, const void *key, const void *iv)',
  HMAC_Init_ex: 'int HMAC_Init_ex(void *ctx, const void *key, int len, void *md, void *engine)',

  memcpy: 'void *memcpy(void *to, const void *from, size_t n)',
} as const;

type Name = keyof typeof FUNCTIONS;
type Value = number | bigint | string | Bytes | null;

/** Whatever is not listed returns a number. */
interface Results {
  BIO_s_mem: Pointer;
  BIO_new: Pointer;
  BIO_ADDR_new: Pointer;
  DTLS_server_method: Pointer;
  SSL_CTX_new: MaybePointer;
  SSL_CTX_get_cert_store: Pointer;
  SSL_new: MaybePointer;
  SSL_get_psk_identity: string | null;
  SSL_get_current_cipher: MaybePointer;
  SSL_get_pending_cipher: MaybePointer;
  SSL_CIPHER_get_name: string;
  PEM_read_bio_X509: MaybePointer;
  PEM_read_bio_X509_CRL: MaybePointer;
  PEM_read_bio_PrivateKey: MaybePointer;
  X509_STORE_CTX_get0_untrusted: MaybePointer;
  OPENSSL_sk_value: MaybePointer;
  SSL_get_session: MaybePointer;
  X509_STORE_CTX_get0_param: Pointer;
  EVP_aes_256_cbc: Pointer;
  EVP_sha256: Pointer;
}

type Functions = { readonly [K in Name]: (...values: Value[]) => K extends keyof Results ? Results[K] : number };

/** Signatures of the functions that OpenSSL calls back. Without names: a name is taken for the whole process. */
const CALLBACKS = {
  cookieGenerate: 'int (void *ssl, void *cookie, void *len)',
  cookieVerify: 'int (void *ssl, void *cookie, unsigned int len)',
  certificateVerify: 'int (void *store, void *arg)',
  ticketKey: 'int (void *ssl, void *name, void *iv, void *cipher, void *mac, int enc)',
  notResumable: 'int (void *ssl, int forwardSecure)',
  ticketGenerate: 'int (void *ssl, void *arg)',
  ticketDecrypt: 'int (void *ssl, void *session, const void *name, size_t length, int status, void *arg)',
  pskServer: 'unsigned int (void *ssl, const char *identity, void *psk, unsigned int max)',
} as const;

export interface OpenSsl extends Functions {
  /**
   * A function of ours as a pointer, for ever: it must not throw.
   * @param call gets pointers, numbers and texts, as its signature has them
   */
  callback<A extends readonly unknown[]>(signature: keyof typeof CALLBACKS, call: (...values: A) => number): Pointer;
}

/** Why there can be no DTLS here, in one line. Everything else serves all the same. */
export class DtlsUnavailable extends Error {
  override readonly name = 'DtlsUnavailable';
}

let loaded: OpenSsl | undefined;

/**
 * The OpenSSL inside this `node`. Loaded when it is first asked for: whoever does without DTLS does without this.
 * @throws DtlsUnavailable where it cannot be reached, or is of another kind
 */
export function openSsl(): OpenSsl {
  loaded ??= load();
  return loaded;
}

/** Further functions of it, which return numbers or pointers. Bound when they are first asked for. */
export function more<N extends string>(
  signatures: Readonly<Record<N, string>>,
): () => Readonly<Record<N, (...values: Value[]) => number | Pointer>> {
  let bound: Readonly<Record<N, (...values: Value[]) => number | Pointer>> | undefined;
  return () => {
    if (bound === undefined) {
      const library = requireKoffi().load(null);
      const names = Object.entries(signatures) as [N, string][];
      bound = Object.fromEntries(
        names.map(([name, signature]) => [name, library.func(signature)]),
      ) as typeof bound & {};
    }
    return bound;
  };
}

/** A function of ours of any signature as a pointer, for ever: see `OpenSsl.callback`. */
export function moreCallback<A extends readonly unknown[]>(signature: string, call: (...values: A) => number): Pointer {
  const koffi = requireKoffi();
  return koffi.register(call, koffi.pointer(koffi.proto(signature)));
}

/** Structures and numbers are those of OpenSSL 3, whose ABI is fixed. */
const SUPPORTED_MAJOR = 3;

function load(): OpenSsl {
  const koffi = requireKoffi();
  let library: ReturnType<Koffi['load']>;
  try {
    library = koffi.load(null);
    const version = Number(library.func(FUNCTIONS.OpenSSL_version_num)());
    if (version >>> 28 !== SUPPORTED_MAJOR) {
      throw new DtlsUnavailable(`the OpenSSL of this node is ${process.versions.openssl}, and DTLS needs 3.x`);
    }
    const functions: Record<string, unknown> = {};
    for (const [name, signature] of Object.entries(FUNCTIONS)) functions[name] = library.func(signature);
    const prototypes = Object.fromEntries(
      Object.entries(CALLBACKS).map(([name, signature]) => [name, koffi.pointer(koffi.proto(signature))]),
    );
    const callback: OpenSsl['callback'] = (signature, call) =>
      koffi.register(call, prototypes[signature] as ReturnType<typeof koffi.pointer>);
    return { ...(functions as unknown as Functions), callback };
  } catch (error) {
    if (error instanceof DtlsUnavailable) throw error;
    throw new DtlsUnavailable(`this node does not show its OpenSSL to others: ${(error as Error).message}`);
  }
}

type Koffi = typeof import('koffi', { with: { 'resolution-mode': 'import' }});

/** @throws DtlsUnavailable */
export function requireKoffi(): Koffi {
  try {
    return require('koffi');
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    throw new DtlsUnavailable(`there is no koffi for ${process.platform} ${process.arch}: ${reason}`);
  }
}
