import { randomBytes } from 'node:crypto';
import type { Millis } from '@tandem/core';
import type {
  AcceptedCertificates,
  DtlsConnection,
  DtlsContextOptions,
  HandshakePolicy,
  OfferedKey,
  PeerIdentity,
} from '../engine';
import type { HandshakeFailure } from '../handshake-failure';
import { hasChangeCipherSpec, hasEncryptedRecord, recordEnd, withoutRunts } from '../records';
import { runFor } from './callbacks';
import { memoryBio } from './certificates';
import { BIO_CTRL, KX_WITH_PSK, SSL_CTRL, SSL_ERROR } from './constants';
import { takeErrors } from './errors';
import { failureOf } from './failures';
import { type OpenSsl, openSsl, type Pointer } from './library';
import { trustName } from './ticket-data';

/** The longest a record can be on the wire: RFC 6347 section 4.1 with the longest expansion of RFC 5246 section 6.2.3. */
const MAX_RECORD = 13 + 16_384 + 2_048;

/** Whatever is read or sent passes through it, and is copied out at once: one for all connections of the process. */
const scratch = Buffer.allocUnsafe(MAX_RECORD);
const timeval = Buffer.alloc(16);
/** The client of `DTLSv1_listen`; it is never read, since BIOs in memory know no addresses. */
let nobody: Pointer | undefined;

const NO_CERTIFICATES: AcceptedCertificates = { ids: [], until: Number.POSITIVE_INFINITY };
/** Bytes of a key that nobody has. */
const NOBODYS_KEY = 32;
/** Bytes that GCM and CCM add: an explicit nonce of 8 and a tag of 16. */
const LONGEST_OVERHEAD = 24;
/** Suites whose tag is half as long, or that have no explicit nonce: 16 bytes. */
const SHORT_OVERHEAD = /CCM8|CHACHA20/;
/**
 * Of a handshake that OpenSSL gives up without a word: what is too long for it can be but certificates. Its number is beyond those of
 * all that was sent before.
 */
const BAD_CERTIFICATE = Buffer.from('15fefd00000000ffffffff0002022a', 'hex');
/** Of a side that trusts no store. */
const NO_TRUST = trustName(undefined);

export type ConnectionOptions = Pick<DtlsContextOptions, 'policy' | 'mtu' | 'clientTrust' | 'skipValidity'>;

/** An `SSL` between two BIOs in memory. A call after `free` would take the process with it: each one asks first. */
export class OpenSslConnection implements DtlsConnection {
  readonly #ssl: OpenSsl = openSsl();
  #handle: Pointer | undefined;
  readonly #in: Pointer;
  readonly #out: Pointer;
  readonly #mtu: number;
  /** Address and port, see `HandshakePolicy`. */
  peer = '';
  /** What the certificates that were presented in this handshake stand for; for `callbacks.ts`. */
  accepted: AcceptedCertificates = NO_CERTIFICATES;
  /**
   * What a ticket stands for that the client has shown: anybody may show it who has read it on the way. OpenSSL asks about it before
   * it looks at its age and at what was agreed on, and has whoever shows it prove more only where the session is resumed.
   */
  ofTicket: AcceptedCertificates | undefined;
  refusal: HandshakeFailure | undefined;
  readonly policy: HandshakePolicy;
  /** Whether the context has a trust store. */
  readonly verifiesTrust: boolean;
  readonly skipValidity: boolean;
  #offered: OfferedKey | undefined;
  /** The client has named an identity, and its key is in use. */
  #keyInUse = false;
  /** Since then the client has said that it encrypts: what came before that is lost cannot be read, whatever its key is. */
  #encrypts = false;
  failure = '';
  /** See `withoutRunts`; until the suite is in use the longest, which the messages of a handshake have in any case. */
  #overhead = LONGEST_OVERHEAD;
  /** Whether the client has proved its address: its cookie may run out until its turn comes. */
  proved = false;
  #closed = false;
  /** What is to be sent next was sent before. */
  #repeating = false;

  /**
   * @param handle an `SSL` that knows which side it is; it belongs to this from now on
   * @param trust names the trust store of the context, see `TicketData`
   */
  constructor(
    handle: Pointer,
    { policy, mtu, clientTrust, skipValidity }: ConnectionOptions,
    readonly trust: Buffer = NO_TRUST,
  ) {
    this.policy = policy;
    this.verifiesTrust = clientTrust !== undefined;
    this.skipValidity = skipValidity;
    const ssl = this.#ssl;
    this.#handle = handle;
    this.#mtu = mtu;
    this.#in = memoryBio(ssl);
    this.#out = memoryBio(ssl);
    // They belong to the connection from here on.
    ssl.SSL_set_bio(handle, this.#in, this.#out);
    ssl.SSL_ctrl(handle, SSL_CTRL.SET_MTU, mtu, null);
  }

  listen(peer: string, datagram: Buffer): 'proved' | 'unproved' | 'failed' {
    const handle = this.#open();
    this.peer = peer;
    this.accepted = NO_CERTIFICATES;
    this.ofTicket = undefined;
    this.refusal = undefined;
    this.#feed(datagram);
    nobody ??= this.#ssl.BIO_ADDR_new();
    const client = nobody;
    const result = runFor(this, () => this.#ssl.DTLSv1_listen(handle, client));
    if (result > 0) {
      this.proved = true;
      return 'proved';
    }
    this.#ssl.ERR_clear_error();
    return result === 0 ? 'unproved' : 'failed';
  }

  handshake(datagram?: Buffer): 'done' | 'waiting' | 'failed' {
    const handle = this.#open();
    if (datagram !== undefined) this.#feed(datagram);
    const ssl = this.#ssl;
    ssl.ERR_clear_error();
    const result = runFor(this, () => ssl.SSL_do_handshake(handle));
    if (result === 1) {
      this.#overhead = SHORT_OVERHEAD.test(this.#cipher(handle)) ? 16 : LONGEST_OVERHEAD;
      return 'done';
    }
    if (ssl.SSL_get_error(handle, result) !== SSL_ERROR.WANT_READ) {
      this.failure = takeErrors(ssl);
      this.refusal ??= failureOf(this.failure);
      if (this.failure === '') ssl.BIO_write(this.#out, BAD_CERTIFICATE, BAD_CERTIFICATE.length);
      return 'failed';
    }
    ssl.ERR_clear_error();
    if (this.#keyInUse && datagram !== undefined) {
      if (hasChangeCipherSpec(datagram)) this.#encrypts = true;
      // What the client encrypts with its key cannot be read with ours: RFC 6347 section 4.1.2.7 has it dropped without a word.
      if (this.#encrypts && hasEncryptedRecord(datagram)) this.refusal = 'wrong_key';
    }
    return 'waiting';
  }

  get wantsKey(): boolean {
    const cipher = this.#ssl.SSL_get_pending_cipher(this.#open());
    return cipher !== null && KX_WITH_PSK.has(this.#ssl.SSL_CIPHER_get_kx_nid(cipher));
  }

  offerKey(key: OfferedKey): void {
    this.#offered = key;
  }

  /** For `callbacks.ts`. Whoever has no key is not to be told from who has a wrong one. */
  keyFor(identity: string | null): Buffer {
    this.#keyInUse = true;
    return this.#offered?.identity === identity ? this.#offered.key : randomBytes(NOBODYS_KEY);
  }

  receive(datagram: Buffer | undefined, message: (bytes: Buffer) => void): 'open' | 'closed' | 'broken' {
    const ssl = this.#ssl;
    if (datagram !== undefined) this.#feed(datagram);
    // Nearly always one datagram is one record, and one read takes it.
    let expected = datagram !== undefined && recordEnd(datagram, 0) === datagram.length ? 1 : Number.POSITIVE_INFINITY;
    while (expected > 0 && !this.#closed) {
      const handle = this.#open();
      // Whatever others have left there would pass for the reason why nothing is read.
      ssl.ERR_clear_error();
      const length = ssl.SSL_read(handle, scratch, scratch.length);
      if (length <= 0) {
        const error = ssl.SSL_get_error(handle, length);
        ssl.ERR_clear_error();
        if (error === SSL_ERROR.ZERO_RETURN) return 'closed';
        return error === SSL_ERROR.SSL ? 'broken' : 'open';
      }
      expected--;
      // The receiver may close this connection.
      message(Buffer.from(scratch.subarray(0, length)));
    }
    return 'open';
  }

  send(message: Buffer): boolean {
    const handle = this.#open();
    const written = this.#ssl.SSL_write(handle, message, message.length);
    if (written > 0) return true;
    this.#ssl.ERR_clear_error();
    return false;
  }

  close(): void {
    this.#closed = true;
    this.#ssl.SSL_shutdown(this.#open());
    this.#ssl.ERR_clear_error();
  }

  drain(send: (datagram: Buffer) => void): void {
    this.#open();
    const repeating = this.#repeating;
    this.#repeating = false;
    const length = this.#ssl.BIO_read(this.#out, scratch, scratch.length);
    if (length <= 0) return;
    if (recordEnd(scratch, 0) === length) {
      send(Buffer.from(scratch.subarray(0, length)));
      return;
    }
    this.#drainFlight(Buffer.from(scratch.subarray(0, length)), repeating ? 0 : this.#mtu, send);
  }

  /**
   * A BIO in memory forgets where datagrams end. As many whole records as fit go into one; of a flight that is repeated each has its own, as
   * OpenSSL does it on a socket: GnuTLS answers a repeated datagram with its own flight at once, and gets lost in longer ones.
   */
  #drainFlight(first: Buffer, longest: number, send: (datagram: Buffer) => void): void {
    const parts = [first];
    for (;;) {
      const length = this.#ssl.BIO_read(this.#out, scratch, scratch.length);
      if (length <= 0) break;
      parts.push(Buffer.from(scratch.subarray(0, length)));
    }
    const flight = Buffer.concat(parts);
    let start = 0;
    let end = 0;
    while (end < flight.length) {
      const next = recordEnd(flight, end);
      if (next > start + longest && end > start) {
        send(flight.subarray(start, end));
        start = end;
      }
      end = next;
    }
    if (end > start) send(flight.subarray(start, end));
  }

  retransmitIn(): Millis | undefined {
    if (this.#ssl.SSL_ctrl(this.#open(), SSL_CTRL.DTLS_GET_TIMEOUT, 0, timeval) !== 1) return undefined;
    return Number(timeval.readBigInt64LE(0)) * 1_000 + Number(timeval.readBigInt64LE(8)) / 1_000;
  }

  retransmit(): boolean {
    const result = this.#ssl.SSL_ctrl(this.#open(), SSL_CTRL.DTLS_HANDLE_TIMEOUT, 0, null);
    this.#ssl.ERR_clear_error();
    this.#repeating = result > 0;
    return result >= 0;
  }

  identity(): PeerIdentity {
    const ssl = this.#ssl;
    const handle = this.#open();
    const resumed = ssl.SSL_session_reused(handle) === 1;
    const { ids, until } = this.provedCertificates();
    return {
      certificateIds: ids,
      until,
      preSharedKey: ssl.SSL_get_psk_identity(handle) === null ? undefined : this.#offered,
      resumed,
    };
  }

  /** What the client has proved in this handshake: with the key of its certificate, or with that of the session it resumes. */
  provedCertificates(): AcceptedCertificates {
    const resumed = this.#ssl.SSL_session_reused(this.#open()) === 1;
    return resumed ? (this.ofTicket ?? NO_CERTIFICATES) : this.accepted;
  }

  #cipher(handle: Pointer): string {
    const cipher = this.#ssl.SSL_get_current_cipher(handle);
    return cipher === null ? '' : this.#ssl.SSL_CIPHER_get_name(cipher);
  }

  free(): void {
    const handle = this.#handle;
    if (handle === undefined) return;
    this.#handle = undefined;
    this.#ssl.SSL_free(handle);
  }

  #feed(datagram: Buffer): void {
    this.#open();
    // What is left of the one before is nothing that a datagram may be mixed with.
    this.#ssl.BIO_ctrl(this.#in, BIO_CTRL.RESET, 0, null);
    const sound = withoutRunts(datagram, this.#overhead);
    if (sound.length > 0) this.#ssl.BIO_write(this.#in, sound, sound.length);
  }

  #open(): Pointer {
    if (this.#handle === undefined) throw new Error('a DTLS connection was used after it was freed');
    return this.#handle;
  }
}
