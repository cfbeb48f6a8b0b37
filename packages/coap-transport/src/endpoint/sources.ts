import type { Millis } from '@tandem/core';

export interface SourceSettings {
  /** Answers per second to requests without valid credentials; ten times as many at once; 0: no limit. */
  readonly sourceReplies: number;
  /** Datagrams per second, whatever is in them; ten times as many at once; 0: no limit. */
  readonly sourceDatagrams: number;
  /** Addresses remembered for each of the two; those not seen for longest are forgotten, and start afresh. */
  readonly maxSources: number;
}

/** Seconds' worth of a rate that may be used at once. */
const BURST = 10;

/** What is left of ten seconds' worth of a rate; it fills as time goes by. */
interface Bucket {
  tokens: number;
  at: Millis;
}

/**
 * One limit, by source. The buckets are in two generations, so that to forget the sources not seen for longest costs
 * nothing per datagram: a map that is emptied from its front would be walked through its holes each time.
 */
export class SourceLimit {
  #recent = new Map<string, Bucket>();
  #older = new Map<string, Bucket>();

  constructor(
    private readonly rate: number,
    private readonly maxSources: number,
  ) {}

  get size(): number {
    return this.#recent.size + this.#older.size;
  }

  /** Takes one. False: there is none. */
  take(address: string, now: Millis): boolean {
    const { rate } = this;
    if (rate === 0) return true;
    const bucket = this.#bucket(sourceOf(address), now);
    bucket.tokens = Math.min(BURST * rate, bucket.tokens + ((now - bucket.at) * rate) / 1000);
    bucket.at = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  #bucket(source: string, now: Millis): Bucket {
    const recent = this.#recent.get(source);
    if (recent !== undefined) return recent;
    const bucket = this.#older.get(source) ?? { tokens: BURST * this.rate, at: now };
    this.#older.delete(source);
    if (this.#recent.size >= Math.max(1, this.maxSources >> 1)) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(source, bucket);
    return bucket;
  }
}

/**
 * Limits per source address: an IPv4 address, or the /64 of an IPv6 address. Addresses on UDP can be forged, so nobody is
 * ever locked out: what is over the limit meets silence, and credentials that are valid are not counted.
 */
export class SourceTable {
  readonly #replies: SourceLimit;
  readonly #datagrams: SourceLimit;

  constructor({ sourceReplies, sourceDatagrams, maxSources }: SourceSettings) {
    this.#replies = new SourceLimit(sourceReplies, maxSources);
    this.#datagrams = new SourceLimit(sourceDatagrams, maxSources);
  }

  get size(): number {
    return Math.max(this.#replies.size, this.#datagrams.size);
  }

  /** Whether one more datagram from there is read. */
  accepts(address: string, now: Millis): boolean {
    return this.#datagrams.take(address, now);
  }

  /** Whether a stranger there gets one more answer. */
  mayReply(address: string, now: Millis): boolean {
    return this.#replies.take(address, now);
  }
}

/** IPv4 as a socket of both families writes it (RFC 4291 section 2.5.5.2). */
const MAPPED = '::ffff:';

/** Who has one IPv6 address has its whole /64. */
export function sourceOf(address: string): string {
  if (!address.includes(':')) return address;
  if (address.startsWith(MAPPED) && address.includes('.')) return address.slice(MAPPED.length);
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':');
    while (groups.length + after.length < 8) groups.push('0');
    groups.push(...after);
  }
  return groups.slice(0, 4).join(':');
}

/**
 * Addresses that no single host sends from: 0.0.0.0/8, multicast, reserved and broadcast (RFC 1122 section 3.2.1.3), the
 * unspecified and the multicast ones of IPv6 (RFC 4291 sections 2.5.2 and 2.7).
 */
const NOBODY = /^(?:::ffff:)?(?:0|22[4-9]|2[3-5]\d)\.|^ff[\da-f]{2}:|^::$/;

const ONE = 0x31;
const THREE = 0x33;
const NINE = 0x39;

/** Whether an answer to this address would go to nobody, or to many. */
export function isNobody(address: string): boolean {
  const first = address.charCodeAt(0);
  // Most addresses begin with 1 or 3 to 9, and so never match.
  if (first === ONE || (first >= THREE && first <= NINE)) return false;
  return NOBODY.test(address);
}
