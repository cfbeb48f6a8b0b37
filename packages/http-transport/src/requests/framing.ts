import type { IncomingMessage } from 'node:http';

/** What the headers say that every request is asked about. */
export class Framing {
  /** `Content-Length`; undefined where there is none. The parser has refused anything but digits, and two that differ. */
  length: number | undefined = undefined;
  chunked = false;
  /** A `Content-Encoding` other than `identity`: stored as it comes, the body would be garbage. */
  encoded = false;
  hasOrigin = false;
  contentType: string | undefined = undefined;
  /** All of them: there may be several. */
  accept: string | undefined = undefined;

  /**
   * Out of the headers as they came: `request.headers` would make an object of all of them first, which costs a tenth of what
   * a telemetry message does.
   */
  constructor({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>) {
    for (let at = 0; at < rawHeaders.length; at += 2) {
      const name = rawHeaders[at] ?? '';
      // Their names differ in length, so most headers are passed over by it.
      switch (name.length) {
        case 6:
          switch (name.toLowerCase()) {
            case 'origin':
              this.hasOrigin = true;
              break;
            case 'accept': {
              const value = rawHeaders[at + 1];
              this.accept = this.accept === undefined ? value : `${this.accept},${value}`;
              break;
            }
            default:
          }
          break;
        case 12:
          if (name.toLowerCase() === 'content-type') this.contentType ??= rawHeaders[at + 1];
          break;
        case 14:
          if (name.toLowerCase() === 'content-length') this.length = Number(rawHeaders[at + 1]);
          break;
        case 16:
          if (name.toLowerCase() === 'content-encoding') {
            this.encoded ||= rawHeaders[at + 1]?.toLowerCase() !== 'identity';
          }
          break;
        case 17:
          if (name.toLowerCase() === 'transfer-encoding') this.chunked = true;
          break;
        default:
      }
    }
  }

  /** Whether a body follows: a length above 0, or chunks, whose number is not known yet. */
  get bodyAnnounced(): boolean {
    return this.length === undefined ? this.chunked : this.length > 0;
  }
}
