import type { IncomingMessage } from 'node:http';

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
