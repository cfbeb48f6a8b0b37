import type { IncomingMessage } from 'node:http';
import { Chunks, TandemError } from '@tandem/core';

/** How much of a body that nobody wants is read all the same, so that its sender gets to see the answer. */
const DISCARD_MAX = 33_554_432;

/**
 * All bytes of the body, counted as they come: a chunked body names no length.
 * @throws TandemError PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE for a compressed body
 */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  try {
    refuseCompressed(request);
  } catch (error) {
    return Promise.reject(error);
  }
  if (Number(request.headers['content-length'] ?? 0) > limit) return Promise.reject(bodyTooLarge(limit));
  return new Promise((resolve, reject) => {
    const chunks = new Chunks();
    const settle = (outcome: Buffer | TandemError) => {
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      if (outcome instanceof TandemError) reject(outcome);
      else resolve(outcome);
    };
    const onData = (chunk: Buffer) => {
      if (chunks.bytes + chunk.length > limit) settle(bodyTooLarge(limit));
      else chunks.add(chunk);
    };
    const onEnd = () => settle(chunks.joined());
    const onClose = () => settle(new TandemError('BAD_REQUEST', { message: 'The body is incomplete' }));
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}

/** @throws TandemError UNSUPPORTED_MEDIA_TYPE */
export function refuseCompressed(request: IncomingMessage): void {
  const encoding = request.headers['content-encoding'];
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return;
  throw new TandemError('UNSUPPORTED_MEDIA_TYPE', { message: 'Compressed bodies are not supported' });
}

/** Lets the rest of an unwanted body pass; a sender that goes on beyond all measure loses the connection. */
export function discardBody(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > DISCARD_MAX) request.destroy();
  });
}

/** A body without a media type counts as JSON. @throws TandemError UNSUPPORTED_MEDIA_TYPE */
export function requireJsonType(request: IncomingMessage): void {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type === '' || type === 'application/json' || /^application\/[\w.-]+\+json$/.test(type)) return;
  throw new TandemError('UNSUPPORTED_MEDIA_TYPE', { message: `Content-Type '${type}' is not supported` });
}

export const bodyTooLarge = (limit: number) =>
  new TandemError('PAYLOAD_TOO_LARGE', { message: `Payload size exceeds the limit of ${limit} bytes` });
