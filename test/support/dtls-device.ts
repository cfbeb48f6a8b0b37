import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { generate, type NamedOption, parse } from 'coap-packet';

/** What a client shows of itself, and how it resumes. */
export interface DtlsClientOptions {
  /** Files in PEM. */
  readonly certificate?: { readonly certificateFile: string; readonly keyFile: string };
  /** Certificates above it, which are sent behind it. */
  readonly chainFile?: string;
  readonly psk?: { readonly identity: string /** In hexadecimal digits. */; readonly key: string };
  /** File that a session is written to once it has been told how to resume it; and one that it is resumed from. */
  readonly sessionOut?: string;
  readonly sessionIn?: string;
  readonly more?: readonly string[];
}

export interface DtlsAnswer {
  /** `CON 2.05`. */
  readonly kind: string;
  readonly text: string;
}

/** Bytes of an empty message: an acknowledgement whose answer comes later. */
const EMPTY = 4;
/** Longer than anything the tests wait for, shorter than a test. */
const PATIENCE = 15_000;

/** A device that speaks CoAP in a DTLS session which `openssl s_client` makes for it: a client that shares no code with the gateway. */
export class DtlsDevice {
  /** How the client has ended, with all it said; `alert 42` is in it where it was told so. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  readonly #answers: Array<DtlsAnswer & { readonly token: string }> = [];
  #wake: () => void = () => {};
  #said = '';
  #over = false;
  #messageId = 0;

  constructor(port: number, options: DtlsClientOptions = {}) {
    const { certificate, chainFile, psk, sessionIn, sessionOut, more = [] } = options;
    const args = ['s_client', '-dtls1_2', '-connect', `127.0.0.1:${port}`, '-quiet'];
    if (certificate) args.push('-cert', certificate.certificateFile, '-key', certificate.keyFile);
    if (chainFile !== undefined) args.push('-cert_chain', chainFile);
    if (psk) args.push('-psk_identity', psk.identity, '-psk', psk.key, '-cipher', 'PSK-AES128-GCM-SHA256');
    if (sessionOut !== undefined) args.push('-sess_out', sessionOut);
    if (sessionIn !== undefined) args.push('-sess_in', sessionIn);
    const child = spawn('openssl', [...args, ...more], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    child.stdin?.on('error', () => {});
    child.stdout?.on('data', (datagram: Buffer) => this.#receive(datagram));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text;
    });
    this.ended = new Promise((resolve) => {
      child.once('close', () => {
        this.#over = true;
        this.#wake();
        resolve(this.#said.replace(/SSL alert number (\d+)/g, 'alert $1'));
      });
    });
  }

  get over(): boolean {
    return this.#over;
  }

  /** @param path below the root, split at its slashes @returns the kind and text of what answers; rejects where the session is over */
  async ask(
    method: string,
    path: string,
    payload = '',
    observe?: boolean,
    token = randomBytes(4),
  ): Promise<DtlsAnswer> {
    const options: NamedOption[] = path.split('/').map((part) => ({ name: 'Uri-Path', value: Buffer.from(part) }));
    if (observe) options.unshift({ name: 'Observe', value: Buffer.alloc(0) });
    const messageId = ++this.#messageId;
    const packet = { code: method, confirmable: true, messageId, token, options, payload: Buffer.from(payload) };
    this.sendRaw(generate(packet));
    const { kind, text } = await this.#next(token.toString('hex'));
    return { kind, text };
  }

  /** @returns what tells, after the answer, of the next message to this observation, of which no other may come at the same time */
  async observe(path: string): Promise<{ readonly answer: string; readonly next: () => Promise<string> }> {
    const token = randomBytes(4);
    const first = await this.ask('GET', path, '', true, token);
    return { answer: first.kind, next: () => this.#next(token.toString('hex')).then(({ kind }) => kind) };
  }

  sendRaw(datagram: Buffer): void {
    this.#child.stdin?.write(datagram);
  }

  post(path: string, payload = '{"a":1}'): Promise<string> {
    return this.ask('POST', path, payload).then(({ kind }) => kind);
  }

  /** Says close_notify. */
  async close(): Promise<string> {
    this.#child.stdin?.end();
    // With -quiet the end of its input is not its end.
    this.#child.kill('SIGTERM');
    return this.ended;
  }

  /** Gives up without a word. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** @param bytes what the client has read: as a rule one datagram, or an empty one (RFC 7252 section 4.2) and the one behind it */
  #receive(bytes: Buffer): void {
    const empty = bytes[1] === 0 && bytes.length > EMPTY;
    if (empty) this.#receive(bytes.subarray(0, EMPTY));
    const datagram = empty ? bytes.subarray(EMPTY) : bytes;
    const { confirmable, ack, code, token, payload, messageId } = parse(datagram);
    if (confirmable && code !== '0.00') this.sendRaw(generate({ code: '0.00', ack: true, messageId }));
    const kind = `${confirmable ? 'CON' : ack ? 'ACK' : 'NON'} ${code}`;
    if (code !== '0.00') this.#answers.push({ kind, text: payload.toString(), token: token.toString('hex') });
    this.#wake();
  }

  async #next(token: string): Promise<DtlsAnswer> {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      const at = this.#answers.findIndex((answer) => answer.token === token);
      const [found] = at === -1 ? [] : this.#answers.splice(at, 1);
      if (found) return found;
      if (this.#over) throw new Error(`the session is over: ${await this.ended}`);
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no answer: ${this.#said}`)), deadline - Date.now());
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
