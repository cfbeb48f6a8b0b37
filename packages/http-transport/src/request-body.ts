import type { IncomingMessage } from 'node:http';

/** Whether a body follows: Content-Length above 0, or chunks, whose number is not known yet. */
export function bodyAnnounced({ headers }: IncomingMessage): boolean {
  const length = headers['content-length'];
  return length === undefined ? headers['transfer-encoding'] !== undefined : Number(length) > 0;
}

/** `Content-Length`, or 0 where there is none. The parser has refused anything but digits. */
export function announcedLength({ headers }: IncomingMessage): number {
  const length = headers['content-length'];
  return length === undefined ? 0 : Number(length);
}

/** The body is stored as it comes: anything encoded would be stored as garbage. */
export function bodyEncoded({ headers }: IncomingMessage): boolean {
  const encoding = headers['content-encoding'];
  return encoding !== undefined && encoding.toLowerCase() !== 'identity';
}

/**
 * Reads the body to its end. Calls neither function when the connection breaks off before.
 * @param max bytes; one more and the reading stops
 */
export function readBody(
  request: IncomingMessage,
  max: number,
  complete: (body: Buffer) => void,
  tooLarge: () => void,
): void {
  let first: Buffer | undefined;
  let chunks: Buffer[] | undefined;
  let bytes = 0;
  const onData = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > max) {
      request.pause();
      request.removeListener('data', onData);
      request.removeListener('end', onEnd);
      tooLarge();
      return;
    }
    if (first === undefined) first = chunk;
    else if (chunks === undefined) chunks = [first, chunk];
    else chunks.push(chunk);
  };
  const onEnd = () => complete(chunks === undefined ? (first ?? EMPTY) : Buffer.concat(chunks, bytes));
  request.on('data', onData);
  request.on('end', onEnd);
}

const EMPTY = Buffer.alloc(0);
