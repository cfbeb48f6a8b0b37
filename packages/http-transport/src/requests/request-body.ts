import type { IncomingMessage } from 'node:http';
import { Chunks } from '@tandem/core';

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
  let chunks: Chunks | undefined;
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
    // Most bodies come in one piece.
    if (first === undefined) {
      first = chunk;
      return;
    }
    if (chunks === undefined) {
      chunks = new Chunks();
      chunks.add(first);
    }
    chunks.add(chunk);
  };
  const onEnd = () => complete(chunks?.joined() ?? first ?? EMPTY);
  request.on('data', onData);
  request.on('end', onEnd);
}

const EMPTY = Buffer.alloc(0);
