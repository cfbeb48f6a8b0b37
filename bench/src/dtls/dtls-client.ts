import { createSocket, type Socket } from 'node:dgram';
import { type ClientLibrary, clientLibrary, type Pointer } from './client-library';

// Numbers of OpenSSL's headers, which are the same in all of 3.x.
const BIO_CTRL_RESET = 1;
const BIO_C_SET_BUF_MEM_EOF_RETURN = 130;
const SSL_CTRL_SET_MTU = 17;
const DTLS_CTRL_HANDLE_TIMEOUT = 74;
const SSL_OP_NO_QUERY_MTU = 1n << 12n;
const SSL_ERROR_WANT_READ = 2;
const SSL_ERROR_ZERO_RETURN = 6;
const SSL_FILETYPE_PEM = 1;

/** A flight of a client in one datagram, as the loopback interface takes it. */
const MTU = 8_192;
/** Until the last flight of the handshake is sent again, first (RFC 6347 section 4.2.4.1). */
const FIRST_RETRANSMISSION_MS = 1_000;
const HANDSHAKE_LIMIT_MS = 30_000;

const scratch = Buffer.allocUnsafe(20_000);

/** What a client proves itself with. */
export interface ClientFiles {
  readonly certificate: string;
  readonly key: string;
}

/** Makes the connections of clients; believes every server. */
export class DtlsClientContext {
  readonly #handle: Pointer;

  constructor(files?: ClientFiles) {
    const ssl = clientLibrary();
    this.#handle = ssl.SSL_CTX_new(ssl.DTLS_client_method());
    ssl.SSL_CTX_set_options(this.#handle, SSL_OP_NO_QUERY_MTU);
    if (files === undefined) return;
    const read =
      ssl.SSL_CTX_use_certificate_file(this.#handle, files.certificate, SSL_FILETYPE_PEM) === 1 &&
      ssl.SSL_CTX_use_PrivateKey_file(this.#handle, files.key, SSL_FILETYPE_PEM) === 1;
    if (!read) throw new Error(`OpenSSL does not take ${files.certificate} and ${files.key}`);
  }

  /** @param session one to resume, see `DtlsClient.session` */
  connect(host: string, port: number, session?: Pointer): DtlsClient {
    return new DtlsClient(this.#handle, host, port, session);
  }
}

/** One client of DTLS with a UDP port of its own. */
export class DtlsClient {
  /** Resolves when the session is open. */
  readonly opened: Promise<void>;
  /** Called with each message that comes in the session. */
  onMessage: (message: Buffer) => void = () => {};
  /** Called when the server closes it. */
  onClose: () => void = () => {};
  readonly #ssl: ClientLibrary = clientLibrary();
  readonly #handle: Pointer;
  readonly #in: Pointer;
  readonly #out: Pointer;
  readonly #socket: Socket;
  #open = false;
  #closed = false;
  #settle: (failure?: Error) => void = () => {};

  constructor(context: Pointer, host: string, port: number, session?: Pointer) {
    const ssl = this.#ssl;
    this.#handle = ssl.SSL_new(context);
    this.#in = memoryBio(ssl);
    this.#out = memoryBio(ssl);
    ssl.SSL_set_bio(this.#handle, this.#in, this.#out);
    ssl.SSL_set_connect_state(this.#handle);
    ssl.SSL_ctrl(this.#handle, SSL_CTRL_SET_MTU, MTU, null);
    if (session !== undefined) ssl.SSL_set_session(this.#handle, session);
    this.#socket = createSocket('udp4');
    this.#socket.on('message', (datagram) => this.#receive(datagram));
    this.opened = this.#handshake(host, port);
  }

  get resumed(): boolean {
    return this.#ssl.SSL_session_reused(this.#handle) === 1;
  }

  /** What another client resumes this session with. It is never given back: one for a run. */
  session(): Pointer {
    return this.#ssl.SSL_get1_session(this.#handle);
  }

  send(message: Buffer): void {
    this.#ssl.SSL_write(this.#handle, message, message.length);
    this.#flush();
  }

  close(): void {
    if (this.#closed) return;
    this.#ssl.SSL_shutdown(this.#handle);
    this.#flush();
    this.#closed = true;
    this.#ssl.ERR_clear_error();
    this.#ssl.SSL_free(this.#handle);
    this.#socket.close();
  }

  async #handshake(host: string, port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#socket.once('error', reject);
      this.#socket.connect(port, host, resolve);
    });
    let wait = FIRST_RETRANSMISSION_MS;
    let repeat: NodeJS.Timeout | undefined;
    const limit = setTimeout(() => this.#settle(new Error('a handshake took too long')), HANDSHAKE_LIMIT_MS);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#settle = (failure) => (failure === undefined ? resolve() : reject(failure));
        this.#socket.on('error', reject);
        const again = (): void => {
          this.#ssl.SSL_ctrl(this.#handle, DTLS_CTRL_HANDLE_TIMEOUT, 0, null);
          this.#flush();
          wait *= 2;
          repeat = setTimeout(again, wait);
        };
        repeat = setTimeout(again, wait);
        this.#step();
      });
    } finally {
      clearTimeout(limit);
      clearTimeout(repeat);
    }
  }

  #step(): void {
    const ssl = this.#ssl;
    ssl.ERR_clear_error();
    const result = ssl.SSL_do_handshake(this.#handle);
    this.#flush();
    if (result === 1) {
      this.#open = true;
      this.#settle();
    } else if (ssl.SSL_get_error(this.#handle, result) !== SSL_ERROR_WANT_READ) {
      this.#settle(new Error('a handshake failed'));
    }
  }

  #receive(datagram: Buffer): void {
    if (this.#closed) return;
    const ssl = this.#ssl;
    ssl.BIO_ctrl(this.#in, BIO_CTRL_RESET, 0, null);
    ssl.BIO_write(this.#in, datagram, datagram.length);
    if (!this.#open) {
      this.#step();
      return;
    }
    const length = ssl.SSL_read(this.#handle, scratch, scratch.length);
    if (length > 0) {
      this.onMessage(Buffer.from(scratch.subarray(0, length)));
      return;
    }
    if (ssl.SSL_get_error(this.#handle, length) === SSL_ERROR_ZERO_RETURN) this.onClose();
    ssl.ERR_clear_error();
  }

  #flush(): void {
    const length = this.#ssl.BIO_read(this.#out, scratch, scratch.length);
    if (length > 0) this.#socket.send(Buffer.from(scratch.subarray(0, length)));
  }
}

function memoryBio(ssl: ClientLibrary): Pointer {
  const bio = ssl.BIO_new(ssl.BIO_s_mem());
  // Empty is "come again" and not the end.
  ssl.BIO_ctrl(bio, BIO_C_SET_BUF_MEM_EOF_RETURN, -1, null);
  return bio;
}
