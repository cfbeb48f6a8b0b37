import { createHash } from 'node:crypto';
import type { ClientTrust, KeyMaterial } from '@tandem/core';
import type { DtlsConnection, DtlsContext, DtlsContextOptions, DtlsEngine } from '../engine';
import { callbacks } from './callbacks';
import { readPem } from './certificates';
import { OpenSslConnection } from './connection';
import { CTX_CTRL, DTLS1_2, SESSIONS_IN_TICKETS, SSL_OP, SSL_VERIFY_PEER, X509_V_FLAG } from './constants';
import { takeErrors } from './errors';
import { openSsl, type Pointer } from './library';
import { trustName } from './ticket-data';

const SUITES = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-CCM',
];
const CCM8_SUITES = ['ECDHE-ECDSA-AES128-CCM8'];
const PSK_SUITES = ['ECDHE-PSK-CHACHA20-POLY1305', 'PSK-AES128-GCM-SHA256', 'PSK-AES128-CCM'];
const PSK_CCM8_SUITES = ['PSK-AES128-CCM8'];
/** What the security level would rule out, which has to be 0 where the short tags of CCM-8 are wanted. */
const GROUPS = 'X25519:P-256:P-384';
const SIGNATURES =
  'ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512';
const SESSION_ID_CONTEXT = Buffer.from('tandem');
/** Records of a handshake: whole ones leave more room for the allocator than 16 KiB each way. */
const MAX_SEND_FRAGMENT = 2_048;

/** Of all that a client presents: what is longer is not even kept until it is whole. */
const MAX_CERTIFICATE_BYTES = 32_768;

/** The settings that connections are made from: an `SSL_CTX`. */
class OpenSslContext implements DtlsContext {
  readonly #ssl = openSsl();
  #context: Pointer | undefined;
  readonly #options: DtlsContextOptions;
  readonly #trustName: Buffer;

  /** @param prepare what else is to be done with each `SSL` */
  constructor(
    options: DtlsContextOptions,
    private readonly prepare?: (handle: Pointer) => void,
  ) {
    const ssl = this.#ssl;
    this.#options = options;
    this.#trustName = trustName(digest(options.clientTrust));
    ssl.ERR_clear_error();
    const context = ssl.SSL_CTX_new(ssl.DTLS_server_method());
    if (context === null) throw new Error(`DTLS cannot be set up: ${takeErrors(ssl)}`);
    this.#context = context;
    try {
      this.#configure(context);
    } catch (error) {
      this.free();
      throw error;
    }
  }

  createConnection(): DtlsConnection {
    if (this.#context === undefined) throw new Error('a context was used after it was freed');
    const handle = this.#ssl.SSL_new(this.#context);
    if (handle === null) throw new Error('OpenSSL has no room for a connection');
    this.#ssl.SSL_set_accept_state(handle);
    this.prepare?.(handle);
    return new OpenSslConnection(handle, this.#options, this.#trustName);
  }

  free(): void {
    if (this.#context === undefined) return;
    this.#ssl.SSL_CTX_free(this.#context);
    this.#context = undefined;
  }

  #configure(context: Pointer): void {
    const ssl = this.#ssl;
    const { material, clientTrust, ccm8, psk, resumptionTime } = this.#options;
    const {
      cookieGenerate,
      cookieVerify,
      certificateVerify,
      pskServer,
      notResumable,
      ticketKey,
      ticketGenerate,
      ticketDecrypt,
    } = callbacks();
    this.#control(context, CTX_CTRL.SET_MIN_PROTO_VERSION, DTLS1_2, null);
    this.#control(context, CTX_CTRL.SET_MAX_PROTO_VERSION, DTLS1_2, null);
    const tickets = resumptionTime > 0 ? 0n : SSL_OP.NO_TICKET;
    ssl.SSL_CTX_set_options(
      context,
      SSL_OP.NO_QUERY_MTU | SSL_OP.NO_RENEGOTIATION | SSL_OP.CIPHER_SERVER_PREFERENCE | tickets,
    );
    this.#must(ssl.SSL_CTX_set_cipher_list(context, suites(ccm8, psk)), 'the cipher suites');
    this.#control(context, CTX_CTRL.SET_GROUPS_LIST, 0, Buffer.from(`${GROUPS}\0`));
    this.#control(context, CTX_CTRL.SET_SIGALGS_LIST, 0, Buffer.from(`${SIGNATURES}\0`));
    this.#control(context, CTX_CTRL.SET_MAX_SEND_FRAGMENT, MAX_SEND_FRAGMENT, null);
    ssl.SSL_CTX_ctrl(context, CTX_CTRL.SET_SESS_CACHE_MODE, SESSIONS_IN_TICKETS, null);
    this.#must(ssl.SSL_CTX_set_session_id_context(context, SESSION_ID_CONTEXT, SESSION_ID_CONTEXT.length), 'sessions');
    if (resumptionTime > 0) {
      ssl.SSL_CTX_set_timeout(context, resumptionTime);
      ssl.SSL_CTX_callback_ctrl(context, CTX_CTRL.SET_TLSEXT_TICKET_KEY_CB, ticketKey);
      this.#must(ssl.SSL_CTX_set_session_ticket_cb(context, ticketGenerate, ticketDecrypt, null), 'tickets');
    }
    ssl.SSL_CTX_set_cookie_generate_cb(context, cookieGenerate);
    ssl.SSL_CTX_set_cookie_verify_cb(context, cookieVerify);
    // Wanted, not required (contract 2.11). No list of authorities is sent: clients would withhold what is not of them.
    ssl.SSL_CTX_set_verify(context, SSL_VERIFY_PEER, null);
    ssl.SSL_CTX_ctrl(context, CTX_CTRL.SET_MAX_CERT_LIST, MAX_CERTIFICATE_BYTES, null);
    ssl.SSL_CTX_set_cert_verify_callback(context, certificateVerify, null);
    if (psk) {
      ssl.SSL_CTX_set_psk_server_callback(context, pskServer);
      ssl.SSL_CTX_set_not_resumable_session_callback(context, notResumable);
    }
    if (clientTrust !== undefined) this.#trust(context, clientTrust);
    this.#identify(context, material);
  }

  #identify(context: Pointer, { certificates, key }: KeyMaterial): void {
    const ssl = this.#ssl;
    const [own, ...others] = readPem(ssl, certificates, ssl.PEM_read_bio_X509);
    const [privateKey] = readPem(ssl, key, ssl.PEM_read_bio_PrivateKey);
    try {
      if (own === undefined) throw new Error('there is no certificate of the server');
      if (privateKey === undefined) throw new Error('there is no private key of the server');
      this.#must(ssl.SSL_CTX_use_certificate(context, own), 'the certificate of the server');
      this.#must(ssl.SSL_CTX_use_PrivateKey(context, privateKey), 'the private key of the server');
      this.#must(ssl.SSL_CTX_check_private_key(context), 'the private key of the server');
      for (const other of others) this.#control(context, CTX_CTRL.CHAIN_CERT, 1, other);
    } finally {
      for (const certificate of [own, ...others]) if (certificate !== undefined) ssl.X509_free(certificate);
      if (privateKey !== undefined) ssl.EVP_PKEY_free(privateKey);
    }
  }

  #trust(context: Pointer, { authorities, revoked }: ClientTrust): void {
    const ssl = this.#ssl;
    const store = ssl.SSL_CTX_get_cert_store(context);
    for (const authority of readPem(ssl, authorities, ssl.PEM_read_bio_X509)) {
      ssl.X509_STORE_add_cert(store, authority);
      ssl.X509_free(authority);
    }
    if (revoked !== undefined) {
      for (const list of readPem(ssl, revoked, ssl.PEM_read_bio_X509_CRL)) {
        ssl.X509_STORE_add_crl(store, list);
        ssl.X509_CRL_free(list);
      }
      ssl.X509_STORE_set_flags(store, X509_V_FLAG.CRL_CHECK | X509_V_FLAG.CRL_CHECK_ALL);
    }
    // An authority that is in it twice is an error to OpenSSL.
    ssl.ERR_clear_error();
  }

  #control(context: Pointer, command: number, number: number, pointer: Pointer | Buffer | null): void {
    this.#must(this.#ssl.SSL_CTX_ctrl(context, command, number, pointer), `setting ${command}`);
  }

  #must(result: number, what: string): void {
    if (result !== 1) throw new Error(`OpenSSL does not take ${what}: ${takeErrors(this.#ssl) || 'no reason given'}`);
  }
}

function digest(trust: ClientTrust | undefined): Buffer | undefined {
  if (trust === undefined) return undefined;
  return createHash('sha256')
    .update(JSON.stringify([trust.authorities, trust.revoked]))
    .digest();
}

function suites(ccm8: boolean, psk: boolean): string {
  const names = [
    ...SUITES,
    ...(ccm8 ? CCM8_SUITES : []),
    ...(psk ? PSK_SUITES : []),
    ...(psk && ccm8 ? PSK_CCM8_SUITES : []),
  ];
  return `${names.join(':')}:@SECLEVEL=${ccm8 ? 0 : 2}`;
}

/** @param prepare what else is to be done with each `SSL`, by its address. @throws DtlsUnavailable */
export function openSslEngine(prepare?: (handle: Pointer) => void): DtlsEngine {
  openSsl();
  return { createContext: (options) => new OpenSslContext(options, prepare) };
}
