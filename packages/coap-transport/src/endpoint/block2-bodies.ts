import { createHash } from 'node:crypto';
import type { Millis } from '@tandem/core';
import { blockOption, blockSize, MAX_BLOCKS } from './block-option';
import type { OutgoingMessage } from './encoder';
import type { Bytes } from './settings';

/** A representation longer than one block, kept so that later blocks come from the same one. */
interface Body {
  readonly code: number;
  readonly payload: Buffer;
  readonly etag: Buffer | undefined;
  readonly contentFormat: number | undefined;
  readonly maxAge: number | undefined;
  readonly until: Millis;
}

/** Charged per body on top of its bytes. */
const OVERHEAD: Bytes = 512;

/**
 * Block2 (RFC 7959 section 2.4): bodies by transfer key, least recently used first to go, within a byte budget. A body
 * that is no longer there is no error: the request is run again.
 */
export class BlockBodies {
  readonly #bodies = new Map<string, Body>();
  readonly #budget: Bytes;
  readonly #lifetime: Millis;
  #bytes = 0;

  constructor(budget: Bytes, lifetime: Millis) {
    this.#budget = budget;
    this.#lifetime = lifetime;
  }

  get bytes(): Bytes {
    return this.#bytes;
  }

  /**
   * The block `number` of `message`, which has more than one block or is asked for by block: with Block2, ETag, and
   * Size2 on the first. Undefined when there is no such block. A body of several blocks is kept for `key`.
   */
  cut(
    key: string,
    message: OutgoingMessage,
    payload: Buffer,
    number: number,
    exponent: number,
    now: Millis,
  ): OutgoingMessage | undefined {
    const { code, contentFormat, maxAge } = message;
    const long = payload.length > blockSize(exponent);
    const etag = message.etag ?? (long ? createHash('sha256').update(payload).digest().subarray(0, 8) : undefined);
    const body: Body = { code, payload, etag, contentFormat, maxAge, until: now + this.#lifetime };
    if (long) this.#keep(key, body);
    const block = blockOf(body, number, exponent);
    return block && { ...block, observe: message.observe, block1: message.block1 };
  }

  /** Block `number` of the kept body; `'unknown'` when none is kept, undefined when the body is shorter. */
  block(key: string, number: number, exponent: number, now: Millis): OutgoingMessage | 'unknown' | undefined {
    const body = this.#bodies.get(key);
    if (body === undefined) return 'unknown';
    this.#drop(key, body);
    if (body.until < now) return 'unknown';
    this.#put(key, body);
    return blockOf(body, number, exponent);
  }

  #keep(key: string, body: Body): void {
    const before = this.#bodies.get(key);
    if (before !== undefined) this.#drop(key, before);
    if (body.payload.length + OVERHEAD > this.#budget) return;
    this.#put(key, body);
    for (const [oldestKey, oldest] of this.#bodies) {
      if (this.#bytes <= this.#budget) break;
      this.#drop(oldestKey, oldest);
    }
  }

  #put(key: string, body: Body): void {
    this.#bodies.set(key, body);
    this.#bytes += body.payload.length + OVERHEAD;
  }

  #drop(key: string, body: Body): void {
    this.#bodies.delete(key);
    this.#bytes -= body.payload.length + OVERHEAD;
  }
}

function blockOf(body: Body, number: number, exponent: number): OutgoingMessage | undefined {
  const { payload } = body;
  const size = blockSize(exponent);
  const start = number * size;
  if ((start >= payload.length && number > 0) || number >= MAX_BLOCKS) return undefined;
  const end = Math.min(start + size, payload.length);
  return {
    code: body.code,
    payload: payload.subarray(start, end),
    etag: body.etag,
    contentFormat: body.contentFormat,
    maxAge: body.maxAge,
    block2: blockOption(number, end < payload.length, exponent),
    size2: number === 0 ? payload.length : undefined,
  };
}
