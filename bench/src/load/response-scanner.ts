/** Why a byte stream cannot be followed any further; the connection is of no use after it. */
export class UnreadableResponse extends Error {
  override readonly name = 'UnreadableResponse';
}

const CR = 13;
const LF = 10;
const COLON = 58;
const SPACE = 32;
const ZERO = 48;
const NAME = 'content-length';

type Step = 'version' | 'status' | 'reason' | 'lineStart' | 'name' | 'value' | 'otherLine' | 'body';

/**
 * Finds the ends of HTTP/1.1 responses in a byte stream that may be cut anywhere (RFC 9112 section 6). It knows the
 * status and Content-Length and nothing else, so it costs the generator a fraction of what the server pays. A response
 * without Content-Length is taken as empty, except one with chunked coding, which the status line of the next response
 * shows as UnreadableResponse.
 */
export class ResponseScanner {
  private step: Step = 'version';
  private status = 0;
  private digits = 0;
  private matched = 0;
  private length = 0;

  /** @param onResponse called with the status of each response once its last byte was seen */
  constructor(private readonly onResponse: (status: number) => void) {}

  /** Takes the bytes [from, to) of a chunk. Throws UnreadableResponse. */
  push(chunk: Uint8Array, from = 0, to = chunk.length): void {
    let at = from;
    while (at < to) {
      if (this.step === 'body') {
        const taken = Math.min(this.length, to - at);
        at += taken;
        this.length -= taken;
        if (this.length === 0) {
          this.finish();
        }
      } else {
        this.header(chunk[at] ?? 0);
        at += 1;
      }
    }
  }

  private header(byte: number): void {
    switch (this.step) {
      case 'version':
        this.version(byte);
        return;
      case 'status':
        this.statusDigit(byte);
        return;
      case 'reason':
      case 'otherLine':
        if (byte === LF) {
          this.step = 'lineStart';
        }
        return;
      case 'lineStart':
        if (byte === CR) {
          return;
        }
        if (byte === LF) {
          this.endOfHeader();
          return;
        }
        this.matched = 0;
        this.step = 'name';
        this.name(byte);
        return;
      case 'name':
        this.name(byte);
        return;
      case 'value':
        this.value(byte);
        return;
    }
  }

  private version(byte: number): void {
    if (byte === SPACE && this.matched === 8) {
      this.step = 'status';
      return;
    }
    if (this.matched >= 8 || byte !== 'HTTP/1.1'.charCodeAt(this.matched)) {
      throw new UnreadableResponse('not the start of an HTTP/1.1 response (or one with chunked coding before it)');
    }
    this.matched += 1;
  }

  private statusDigit(byte: number): void {
    if (byte < ZERO || byte > ZERO + 9) {
      throw new UnreadableResponse('a status that is no number');
    }
    this.status = this.status * 10 + byte - ZERO;
    this.digits += 1;
    if (this.digits === 3) {
      this.step = 'reason';
    }
  }

  private name(byte: number): void {
    if (byte === COLON) {
      this.step = this.matched === NAME.length ? 'value' : 'otherLine';
    } else if (this.matched < NAME.length && (byte | 0x20) === NAME.charCodeAt(this.matched)) {
      this.matched += 1;
    } else {
      this.step = 'otherLine';
    }
  }

  private value(byte: number): void {
    if (byte === LF) {
      this.step = 'lineStart';
    } else if (byte >= ZERO && byte <= ZERO + 9) {
      this.length = this.length * 10 + byte - ZERO;
    } else if (byte !== SPACE && byte !== CR) {
      throw new UnreadableResponse('a Content-Length that is no number');
    }
  }

  private endOfHeader(): void {
    if (this.length > 0) {
      this.step = 'body';
    } else {
      this.finish();
    }
  }

  private finish(): void {
    const status = this.status;
    this.step = 'version';
    this.status = 0;
    this.digits = 0;
    this.matched = 0;
    this.length = 0;
    this.onResponse(status);
  }
}
