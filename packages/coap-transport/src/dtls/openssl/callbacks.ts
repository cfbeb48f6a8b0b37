import { randomBytes } from 'node:crypto';
import { certificateDer } from './certificates';
import type { OpenSslConnection } from './connection';
import { AUTH_LEVEL, TICKET_RETURN, TICKET_STATUS, X509_V, X509_V_FLAG } from './constants';
import { failureOfVerification } from './failures';
import { type OpenSsl, openSsl, type Pointer } from './library';
import { readTicketData, writeTicketData } from './ticket-data';

/** What OpenSSL calls back for every context: pointers to functions that live as long as the process. */
export interface Callbacks {
  readonly cookieGenerate: Pointer;
  readonly cookieVerify: Pointer;
  readonly certificateVerify: Pointer;
  readonly pskServer: Pointer;
  readonly notResumable: Pointer;
  readonly ticketKey: Pointer;
  readonly ticketGenerate: Pointer;
  readonly ticketDecrypt: Pointer;
}

let registered: Callbacks | undefined;

/**
 * The connection that OpenSSL is being called for: it calls back before that call returns, and nothing else runs meanwhile.
 * So no pointer has to be looked up, and none that is stale can be met.
 */
let running: OpenSslConnection | undefined;

/** @returns what `call` returns, during which callbacks are for `connection` */
export function runFor<T>(connection: OpenSslConnection, call: () => T): T {
  const before = running;
  running = connection;
  try {
    return call();
  } finally {
    running = before;
  }
}

export function callbacks(): Callbacks {
  registered ??= register(openSsl());
  return registered;
}

/** Nothing may be thrown into OpenSSL: 0 is its word for no. */
const guarded =
  <A extends readonly unknown[]>(call: (connection: OpenSslConnection, ...values: A) => number) =>
  (...values: A): number => {
    try {
      return running === undefined ? 0 : call(running, ...values);
    } catch {
      return 0;
    }
  };

function register(ssl: OpenSsl): Callbacks {
  return {
    cookieGenerate: ssl.callback(
      'cookieGenerate',
      guarded((connection, _ssl: Pointer, cookie: Pointer, length: Pointer) => {
        const bytes = connection.policy.cookie(connection.peer);
        ssl.memcpy(cookie, bytes, bytes.length);
        const size = Buffer.alloc(4);
        size.writeUInt32LE(bytes.length);
        ssl.memcpy(length, size, size.length);
        return 1;
      }),
    ),
    cookieVerify: ssl.callback(
      'cookieVerify',
      guarded((connection, _ssl: Pointer, cookie: Pointer, length: number) => {
        if (connection.proved) return 1;
        const bytes = Buffer.alloc(length);
        ssl.memcpy(bytes, cookie, length);
        return connection.policy.isCookie(connection.peer, bytes) ? 1 : 0;
      }),
    ),
    certificateVerify: ssl.callback(
      'certificateVerify',
      guarded((connection, store: Pointer) => verify(ssl, connection, store)),
    ),
    pskServer: ssl.callback(
      'pskServer',
      guarded((connection, _ssl: Pointer, identity: string | null, psk: Pointer, max: number) => {
        const key = connection.keyFor(identity);
        if (key.length > max) return 0;
        ssl.memcpy(psk, key, key.length);
        return key.length;
      }),
    ),
    // The suite has been chosen: who is by a key gets no ticket, since its session is never resumed.
    notResumable: ssl.callback(
      'notResumable',
      guarded((connection) => (connection.wantsKey ? 1 : 0)),
    ),
    ticketGenerate: ssl.callback(
      'ticketGenerate',
      guarded((connection, handle: Pointer) => {
        const session = ssl.SSL_get_session(handle);
        if (session === null) return 0;
        const byKey = ssl.SSL_get_psk_identity(handle) !== null;
        const data = writeTicketData({ byKey, trust: connection.trust, accepted: connection.provedCertificates() });
        return ssl.SSL_SESSION_set1_ticket_appdata(session, data, data.length);
      }),
    ),
    ticketDecrypt: ssl.callback(
      'ticketDecrypt',
      guarded((connection, _ssl: Pointer, session: Pointer, _name: Pointer, _length: number, status: number) => {
        const isWhole = status === TICKET_STATUS.SUCCESS || status === TICKET_STATUS.SUCCESS_RENEW;
        if (!isWhole || !resumes(ssl, connection, session)) return TICKET_RETURN.IGNORE_RENEW;
        return status === TICKET_STATUS.SUCCESS ? TICKET_RETURN.USE : TICKET_RETURN.USE_RENEW;
      }),
    ),
    ticketKey: ssl.callback(
      'ticketKey',
      guarded((connection, _ssl: Pointer, name: Pointer, iv: Pointer, cipher: Pointer, mac: Pointer, sealing: number) =>
        (sealing === 1 ? seal : unseal)(ssl, connection, { name, iv, cipher, mac }),
      ),
    ),
  };
}

const TICKET_NAME = 16;
const TICKET_IV = 16;
/** What the callback of tickets says, see SSL_CTX_set_tlsext_ticket_key_cb(3): 0 is "no ticket", or "a full handshake". */
const TICKET = { NONE: 0, OK: 1, RENEW: 2 } as const;

/** Where OpenSSL keeps what a ticket is sealed or opened with. */
interface TicketState {
  readonly name: Pointer;
  readonly iv: Pointer;
  readonly cipher: Pointer;
  readonly mac: Pointer;
}

function seal(ssl: OpenSsl, connection: OpenSslConnection, { name, iv, cipher, mac }: TicketState): number {
  const key = connection.policy.ticketKey();
  if (key === undefined) return TICKET.NONE;
  ssl.memcpy(name, key.name, TICKET_NAME);
  ssl.memcpy(iv, randomBytes(TICKET_IV), TICKET_IV);
  const ready =
    ssl.EVP_EncryptInit_ex(cipher, ssl.EVP_aes_256_cbc(), null, key.cipher, iv) === 1 &&
    ssl.HMAC_Init_ex(mac, key.mac, key.mac.length, ssl.EVP_sha256(), null) === 1;
  return ready ? TICKET.OK : TICKET.NONE;
}

function unseal(ssl: OpenSsl, connection: OpenSslConnection, { name, iv, cipher, mac }: TicketState): number {
  const bytes = Buffer.alloc(TICKET_NAME);
  ssl.memcpy(bytes, name, TICKET_NAME);
  const key = connection.policy.ticketKeyNamed(bytes);
  if (key === undefined) return TICKET.NONE;
  const ready =
    ssl.HMAC_Init_ex(mac, key.mac, key.mac.length, ssl.EVP_sha256(), null) === 1 &&
    ssl.EVP_DecryptInit_ex(cipher, ssl.EVP_aes_256_cbc(), null, key.cipher, iv) === 1;
  if (!ready) return TICKET.NONE;
  return key.name.equals(connection.policy.ticketKey()?.name ?? key.name) ? TICKET.OK : TICKET.RENEW;
}

/** Whether what a session was made with is still as good: of that its ticket tells, and OpenSSL asks nobody else. */
function resumes(ssl: OpenSsl, connection: OpenSslConnection, session: Pointer): boolean {
  const [pointer, length] = [Buffer.alloc(8), Buffer.alloc(8)];
  if (ssl.SSL_SESSION_get0_ticket_appdata(session, pointer, length) !== 1) return false;
  const bytes = Buffer.alloc(Number(length.readBigUInt64LE()));
  if (bytes.length === 0) return false;
  ssl.memcpy(bytes, pointer.readBigUInt64LE(), bytes.length);
  const data = readTicketData(bytes);
  if (data === undefined || data.byKey || !data.trust.equals(connection.trust)) return false;
  if (!connection.policy.stillAccepts(data.accepted)) return false;
  connection.ofTicket = data.accepted;
  return true;
}

/** In the place of OpenSSL's own verification, which is asked only where there is a trust store. */
function verify(ssl: OpenSsl, connection: OpenSslConnection, store: Pointer): number {
  if (connection.verifiesTrust) {
    // That of the connection is 0 where CCM-8 is offered.
    ssl.X509_VERIFY_PARAM_set_auth_level(ssl.X509_STORE_CTX_get0_param(store), AUTH_LEVEL);
    if (connection.skipValidity) ssl.X509_STORE_CTX_set_flags(store, X509_V_FLAG.NO_CHECK_TIME);
    if (ssl.X509_verify_cert(store) !== 1) {
      connection.refusal = failureOfVerification(ssl.X509_STORE_CTX_get_error(store));
      return 0;
    }
  }
  const stack = ssl.X509_STORE_CTX_get0_untrusted(store);
  const count = stack === null ? 0 : ssl.OPENSSL_sk_num(stack);
  const chain: Buffer[] = [];
  for (let at = 0; at < count; at++) {
    const certificate = ssl.OPENSSL_sk_value(stack, at);
    if (certificate !== null) chain.push(certificateDer(ssl, certificate));
  }
  const accepted = connection.policy.acceptsCertificates(chain);
  if (!('refused' in accepted)) {
    connection.accepted = accepted;
    ssl.X509_STORE_CTX_set_error(store, X509_V.OK);
    return 1;
  }
  connection.refusal = accepted.refused;
  ssl.X509_STORE_CTX_set_error(store, X509_V.ERR_CERT_REJECTED);
  return 0;
}
