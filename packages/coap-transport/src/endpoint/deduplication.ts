import type { Millis } from '@tandem/core';
import type { PeerState } from './peer';
import type { Bytes } from './settings';
import type { TransmissionTimes } from './transmission-times';

/** Words of a record's head: hash, fingerprint, second it ends, message id and response length, key length. */
const HEAD_WORDS = 5;
/** Bits of an index entry that tell where a record is. */
const OFFSET_BITS = 26;
const OFFSET_MASK = (1 << OFFSET_BITS) - 1;
/** So that every offset has room in an entry. */
const MAX_SEGMENT: Bytes = 4 << OFFSET_BITS;
const FIRST_SEGMENT: Bytes = 1 << 20;
const MIN_SEGMENT: Bytes = 16 << 10;

/**
 * A stretch of the log: records one after the other, and a hash index over them. Reused as a whole, so no index
 * entry ever outlives its record.
 */
class Segment {
  readonly bytes: Buffer;
  readonly words: Int32Array;
  /**
   * Word offset of a record + 1, and above it some bits of its hash, so that of a record that is another one the words need not
   * be fetched; 0 is free. Linear probing.
   */
  readonly index: Int32Array;
  readonly mask: number;
  readonly maxCount: number;
  /** In words. */
  end = 0;
  count = 0;
  /** Second in which its last record ends. */
  lastExpiry = 0;

  constructor(readonly size: Bytes) {
    const slots = 1 << Math.floor(Math.log2(size / 32));
    const memory = new ArrayBuffer(size - slots * 4);
    this.bytes = Buffer.from(memory);
    this.words = new Int32Array(memory, 0, memory.byteLength >> 2);
    this.index = new Int32Array(slots);
    this.mask = slots - 1;
    this.maxCount = (slots * 3) >> 2;
  }

  clear(): void {
    this.index.fill(0);
    this.end = 0;
    this.count = 0;
    this.lastExpiry = 0;
  }
}

/**
 * Remembers what was answered to (peer, message id, fingerprint) for EXCHANGE_LIFETIME, for NON for NON_LIFETIME (RFC 7252
 * sections 4.5 and 4.8.2), within a byte budget: when it is used up the oldest records go first. The content belongs
 * to the key because a device that restarts may use a message id again, for another message.
 *
 * A log in flat memory: nothing is allocated per request, nothing is there for the garbage collector to follow. It
 * starts with one segment and grows by segments while records that still count would have to go.
 */
export class Deduplication {
  /** Oldest first; the last one is written to. */
  readonly #segments: Segment[] = [];
  readonly #budget: Bytes;
  readonly #firstSize: Bytes;
  /** Seconds. */
  readonly #exchangeLifetime: number;
  readonly #nonLifetime: number;
  #bytes = 0;
  #hitSegment: Segment | undefined;
  #hitAt = 0;

  constructor(budget: Bytes, { exchangeLifetime, nonLifetime }: TransmissionTimes) {
    this.#exchangeLifetime = Math.ceil(exchangeLifetime / 1000);
    this.#nonLifetime = Math.ceil(nonLifetime / 1000);
    this.#firstSize = Math.max(MIN_SEGMENT, Math.min(FIRST_SEGMENT, budget >> 1)) & ~3;
    this.#budget = Math.max(budget, 2 * this.#firstSize);
  }

  /** Memory taken so far. */
  get bytes(): Bytes {
    return this.#bytes;
  }

  /** Whether this message has been answered; `response` then gives the answer. */
  find(peer: PeerState, messageId: number, fingerprint: number, now: Millis): boolean {
    const hash = recordHash(peer, messageId, fingerprint);
    const second = Math.floor(now / 1000);
    for (let i = this.#segments.length - 1; i >= 0; i--) {
      const segment = this.#segments[i];
      if (segment === undefined || segment.lastExpiry < second) continue;
      const { index, words, mask } = segment;
      for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
        const entry = index[slot] ?? 0;
        if (entry === 0) break;
        if ((entry ^ hash) >>> OFFSET_BITS !== 0) continue;
        const at = (entry & OFFSET_MASK) - 1;
        if (words[at] !== hash || words[at + 1] !== fingerprint || (words[at + 3] ?? 0) >>> 16 !== messageId) continue;
        if ((words[at + 2] ?? 0) < second || !sameKey(segment, at, peer.key)) continue;
        this.#hitSegment = segment;
        this.#hitAt = at;
        return true;
      }
    }
    return false;
  }

  /** A copy of the answer to the message just found; undefined when it is a NON, which is not answered again. */
  response(): Buffer | undefined {
    const segment = this.#hitSegment;
    if (segment === undefined) return undefined;
    const length = (segment.words[this.#hitAt + 3] ?? 0) & 0xffff;
    if (length === 0) return undefined;
    const start = ((this.#hitAt + HEAD_WORDS) << 2) + (segment.words[this.#hitAt + 4] ?? 0);
    return Buffer.from(segment.bytes.subarray(start, start + length));
  }

  /** `response`: what a duplicate gets, undefined for a NON. `now`: when the message came; its lifetime counts from there. */
  remember(peer: PeerState, messageId: number, fingerprint: number, response: Buffer | undefined, now: Millis): void {
    const length = response === undefined ? 0 : response.length;
    const { key } = peer;
    const size = HEAD_WORDS + ((key.length + length + 3) >> 2);
    const second = Math.floor(now / 1000);
    const segment = this.#writable(size, second);
    const { words, index, mask, bytes } = segment;
    if (size > words.length) return;
    const at = segment.end;
    const hash = recordHash(peer, messageId, fingerprint);
    const expiry = second + (response === undefined ? this.#nonLifetime : this.#exchangeLifetime);
    words[at] = hash;
    words[at + 1] = fingerprint;
    words[at + 2] = expiry;
    words[at + 3] = (messageId << 16) | length;
    words[at + 4] = key.length;
    const start = (at + HEAD_WORDS) << 2;
    for (let i = 0; i < key.length; i++) bytes[start + i] = key.charCodeAt(i);
    if (response !== undefined) {
      const to = start + key.length;
      if (length > 48) bytes.set(response, to);
      else for (let i = 0; i < length; i++) bytes[to + i] = response[i] ?? 0;
    }
    let slot = hash & mask;
    while (index[slot] !== 0) slot = (slot + 1) & mask;
    index[slot] = (hash & ~OFFSET_MASK) | (at + 1);
    segment.end = at + size;
    segment.count++;
    if (expiry > segment.lastExpiry) segment.lastExpiry = expiry;
  }

  #writable(size: number, second: number): Segment {
    const last = this.#segments[this.#segments.length - 1];
    if (last !== undefined && last.end + size <= last.words.length && last.count < last.maxCount) return last;
    const oldest = this.#segments[0];
    const addition = this.#nextSize();
    if (oldest !== undefined && (oldest.lastExpiry < second || addition === 0)) {
      this.#segments.shift();
      // After a burst: give memory back as its records lapse.
      for (let idle = this.#segments[0]; idle !== undefined && idle.lastExpiry < second; idle = this.#segments[0]) {
        this.#bytes -= idle.size;
        this.#segments.shift();
      }
      oldest.clear();
      this.#hitSegment = undefined;
      this.#segments.push(oldest);
      return oldest;
    }
    const segment = new Segment(addition);
    this.#bytes += addition;
    this.#segments.push(segment);
    return segment;
  }

  /**
   * The size of the segment to add, 0 when the budget is used up. Segments double up to a quarter of the budget: every
   * new message is looked for in all of them, so there should be few, and one is lost at a time, so not too few.
   */
  #nextSize(): Bytes {
    const wanted = Math.max(this.#firstSize, Math.min(this.#bytes, this.#budget >> 2, MAX_SEGMENT)) & ~3;
    const left = this.#budget - this.#bytes;
    if (left < this.#firstSize) return 0;
    return Math.min(wanted, left & ~3);
  }
}

function recordHash(peer: PeerState, messageId: number, fingerprint: number): number {
  let hash = Math.imul(peer.hash ^ messageId, 0x9e3779b1) ^ fingerprint;
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}

function sameKey(segment: Segment, at: number, key: string): boolean {
  if (segment.words[at + 4] !== key.length) return false;
  const start = (at + HEAD_WORDS) << 2;
  for (let i = 0; i < key.length; i++) if (segment.bytes[start + i] !== key.charCodeAt(i)) return false;
  return true;
}
