import { X509Certificate } from 'node:crypto';
import type { Clock, Timer } from '@tandem/core';
import type { Destination, UdpSocket } from '../../endpoint/index';
import type { HandshakePolicy } from '../engine';
import { certificateDer, readPem } from '../openssl/certificates';
import { OpenSslConnection } from '../openssl/connection';
import { CTX_CTRL, DTLS1_2 } from '../openssl/constants';
import { type MaybePointer, more, moreCallback, openSsl, type Pointer } from '../openssl/library';

const functions = more({
  DTLS_client_method: 'void *DTLS_client_method()',
  SSL_set_connect_state: 'void SSL_set_connect_state(void *ssl)',
  SSL_get1_peer_certificate: 'void *SSL_get1_peer_certificate(void *ssl)',
  SSL_get1_session: 'void *SSL_get1_session(void *ssl)',
  SSL_set_session: 'int SSL_set_session(void *ssl, void *session)',
  SSL_SESSION_has_ticket: 'int SSL_SESSION_has_ticket(void *ses)',
  SSL_SESSION_free: 'void SSL_SESSION_free(void *session)',
  SSL_set_psk_client_callback: 'void SSL_set_psk_client_callback(void *ssl, void *callback)',
  SSL_SESSION_set1_master_key: 'int SSL_SESSION_set1_master_key(void *s, const void *in, size_t len)',
  DTLS_set_timer_cb: 'void DTLS_set_timer_cb(void *ssl, void *callback)',
});
const NOBODY: HandshakePolicy = {
  cookie: () => Buffer.alloc(0),
  isCookie: () => false,
  acceptsCertificates: () => ({ ids: [], until: Number.POSITIVE_INFINITY }),
  stillAccepts: () => true,
  ticketKey: () => undefined,
  ticketKeyNamed: () => undefined,
};

/** PEM of a certificate and its key. */
export interface ClientIdentity {
  readonly certificate: string;
  readonly key: string;
}

export interface ClientKey {
  readonly identity: string;
  readonly key: Buffer;
}

export interface DtlsClientOptions {
  readonly socket: UdpSocket;
  readonly server: { readonly address: string; readonly port: number };
  readonly clock: Clock;
  readonly identity?: ClientIdentity;
  readonly suites?: string;
  /** Instead of a certificate (RFC 4279); its suites have to be asked for. */
  readonly psk?: ClientKey;
  /** RFC 7627; as every client that is kept up to date where left out. */
  readonly extendedMasterSecret?: boolean;
  readonly mtu?: number;
  /** Of a client before, see `DtlsClient.ticket`. */
  readonly resume?: Pointer;
  /**
   * Milliseconds until a flight is sent again; OpenSSL's own second where left out. It is real time on every clock, and OpenSSL takes
   * the last 15 of them for over: with fewer each datagram repeats a flight, and after twelve times it gives up.
   */
  readonly repeatAfter?: number;
}

/**
 * A DTLS client on the same OpenSSL: a real one, in this process, on any network. What it checks of the server is nothing,
 * which is for others to show.
 */
export class DtlsClient {
  readonly #options: DtlsClientOptions;
  readonly #context: Pointer;
  readonly #handle: Pointer;
  readonly connection: OpenSslConnection;
  #retransmission: Timer | undefined;
  #state: 'handshake' | 'open' | 'failed' | 'closed' = 'handshake';
  #freed = false;
  readonly messages: string[] = [];
  /** Told whenever the session has got that far. */
  onState: (state: 'open' | 'failed' | 'closed') => void = () => {};
  onMessage: (message: Buffer) => void = (message) => this.messages.push(message.toString('latin1'));

  constructor(options: DtlsClientOptions) {
    const ssl = openSsl();
    this.#options = options;
    const context = clientContext(options);
    this.#context = context;
    const handle = ssl.SSL_new(context);
    if (handle === null) throw new Error('no client');
    this.#handle = handle;
    functions().SSL_set_connect_state(handle);
    if (options.psk !== undefined) functions().SSL_set_psk_client_callback(handle, keyCallback(options.psk));
    if (options.repeatAfter !== undefined) quickTimer(options.repeatAfter)(handle);
    if (options.resume !== undefined) functions().SSL_set_session(handle, options.resume);
    this.connection = new OpenSslConnection(handle, {
      policy: NOBODY,
      mtu: options.mtu ?? 1_200,
      clientTrust: undefined,
      skipValidity: false,
    });
    options.socket.receive((datagram) => this.#receive(datagram));
  }

  get state(): 'handshake' | 'open' | 'failed' | 'closed' {
    return this.#state;
  }

  /** The subject of the certificate that the server has shown. */
  get serverName(): string {
    const certificate = functions().SSL_get1_peer_certificate(this.#handle) as MaybePointer;
    if (certificate === null) return '';
    try {
      return new X509Certificate(certificateDer(openSsl(), certificate)).subject;
    } finally {
      openSsl().X509_free(certificate);
    }
  }

  get resumed(): boolean {
    return openSsl().SSL_session_reused(this.#handle) === 1;
  }

  /** Begins the handshake. */
  start(): this {
    this.#step();
    return this;
  }

  /** Resolves when the session is open, rejects when it failed. */
  opened(): Promise<void> {
    if (this.#state === 'open') return Promise.resolve();
    if (this.#state !== 'handshake') return Promise.reject(new Error(`the handshake ${this.#state}`));
    return new Promise((resolve, reject) => {
      this.onState = (state) =>
        state === 'open' ? resolve() : reject(new Error(`the handshake ${state}: ${this.connection.failure}`));
    });
  }

  send(message: string | Buffer): void {
    if (this.#freed) return;
    this.connection.send(Buffer.from(message));
    this.#drain();
  }

  /** Says close_notify. */
  close(): void {
    if (this.#freed) return;
    this.connection.close();
    this.#drain();
    this.#set('closed');
  }

  /** What the session can be resumed with. The caller frees it with `forgetTicket`. */
  ticket(): Pointer {
    return functions().SSL_get1_session(this.#handle) as unknown as Pointer;
  }

  /** Whether the server has sent one. */
  get hasTicket(): boolean {
    const session = this.ticket();
    const has = functions().SSL_SESSION_has_ticket(session) === 1;
    forgetTicket(session);
    return has;
  }

  /** No call may come after it, but datagrams may. */
  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    this.#retransmission?.cancel();
    this.connection.free();
    openSsl().SSL_CTX_free(this.#context);
  }

  #receive(datagram: Buffer): void {
    if (this.#freed || this.#state === 'failed' || this.#state === 'closed') return;
    if (this.#state === 'handshake') this.#step(datagram);
    else this.#read(datagram);
  }

  #step(datagram?: Buffer): void {
    // It is late: the former flight leaves before the next one, and not in the same datagram.
    if (datagram !== undefined && this.connection.retransmitIn() === 0 && this.connection.retransmit()) this.#drain();
    const outcome = this.connection.handshake(datagram);
    this.#drain();
    this.#retransmission?.cancel();
    if (outcome === 'done') {
      this.#set('open');
      this.#read(undefined);
    } else if (outcome === 'failed') this.#set('failed');
    else {
      const wait = this.connection.retransmitIn();
      if (wait !== undefined) this.#retransmission = this.#options.clock.setTimer(wait, () => this.#repeat());
    }
  }

  #repeat(): void {
    if (this.#freed || this.#state !== 'handshake') return;
    if (this.connection.retransmit()) this.#step();
    else this.#set('failed');
  }

  #read(datagram: Buffer | undefined): void {
    const state = this.connection.receive(datagram, (message) => this.onMessage(message));
    if (this.#freed) return;
    this.#drain();
    if (state !== 'open') this.#set('closed');
  }

  #drain(): void {
    const to: Destination = { ...this.#options.server, session: undefined };
    this.connection.drain((datagram) => this.#options.socket.send(datagram, to));
  }

  #set(state: 'open' | 'failed' | 'closed'): void {
    this.#state = state;
    this.onState(state);
  }
}

export const forgetTicket = (ticket: Pointer): void => void functions().SSL_SESSION_free(ticket);

/** All that somebody has who has read the ticket on the way, where it is in the clear: not the key of the session. */
export function stolen(ticket: Pointer): Pointer {
  const key = Buffer.alloc(48, 7);
  functions().SSL_SESSION_set1_master_key(ticket, key, key.length);
  return ticket;
}

function clientContext({ identity, suites, extendedMasterSecret }: DtlsClientOptions): Pointer {
  const ssl = openSsl();
  const context = ssl.SSL_CTX_new(functions().DTLS_client_method() as unknown as Pointer);
  if (context === null) throw new Error('no context');
  ssl.SSL_CTX_ctrl(context, CTX_CTRL.SET_MIN_PROTO_VERSION, DTLS1_2, null);
  ssl.SSL_CTX_ctrl(context, CTX_CTRL.SET_MAX_PROTO_VERSION, DTLS1_2, null);
  // The MTU is what it is told.
  ssl.SSL_CTX_set_options(context, (1n << 12n) | (extendedMasterSecret === false ? 1n : 0n));
  if (suites !== undefined) ssl.SSL_CTX_set_cipher_list(context, suites);
  if (identity !== undefined) identify(context, identity);
  return context;
}

function identify(context: Pointer, { certificate, key }: ClientIdentity): void {
  const ssl = openSsl();
  const [own] = readPem(ssl, certificate, ssl.PEM_read_bio_X509);
  const [privateKey] = readPem(ssl, key, ssl.PEM_read_bio_PrivateKey);
  if (own === undefined || privateKey === undefined) throw new Error('no identity');
  ssl.SSL_CTX_use_certificate(context, own);
  ssl.SSL_CTX_use_PrivateKey(context, privateKey);
  ssl.X509_free(own);
  ssl.EVP_PKEY_free(privateKey);
}

const keys = new Map<ClientKey, Pointer>();

function keyCallback(psk: ClientKey): Pointer {
  const ssl = openSsl();
  let callback = keys.get(psk);
  callback ??= moreCallback(
    'unsigned int (void *ssl, const char *hint, void *identity, unsigned int maxIdentity, void *psk, unsigned int max)',
    (_ssl: Pointer, _hint: string | null, identity: Pointer, _maxIdentity: number, key: Pointer) => {
      const name = Buffer.from(`${psk.identity}\0`);
      ssl.memcpy(identity, name, name.length);
      ssl.memcpy(key, psk.key, psk.key.length);
      return psk.key.length;
    },
  );
  keys.set(psk, callback);
  return callback;
}

const timers = new Map<number, Pointer>();

/** OpenSSL's timers ask the operating system for the time: where a test cannot wait for them they have to be short. */
export function quickTimer(millis: number): (handle: Pointer) => void {
  return (handle) => {
    let timer = timers.get(millis);
    if (timer === undefined) {
      // Doubled as RFC 6347 section 4.2.4.1 says, up to 64 times the first. OpenSSL gives up after the twelfth: at 40 ms that is
      // 18 s, and a busy machine takes some of them.
      timer = moreCallback('unsigned int (void *ssl, unsigned int micros)', (_ssl: Pointer, micros: number) =>
        micros === 0 ? millis * 1_000 : Math.min(2 * micros, 64_000 * millis),
      );
      timers.set(millis, timer);
    }
    functions().DTLS_set_timer_cb(handle, timer);
  };
}
