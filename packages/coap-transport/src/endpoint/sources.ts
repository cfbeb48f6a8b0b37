import type { Millis } from '@tandem/core';

export interface SourceSettings {
  /** Answers per second to requests without valid credentials; ten times as many at once; 0: no limit. */
  readonly sourceReplies: number;
  /** Datagrams per second, whatever is in them; ten times as many at once; 0: no limit. */
  readonly sourceDatagrams: number;
  /** Addresses remembered; the one not seen for longest is forgotten first, and starts afresh. */
  readonly maxSources: number;
}

/** A bucket of ten seconds' worth of a rate, filled as time goes by. */
class Bucket {
  constructor(
    public tokens: number,
    public at: Millis,
  ) {}

  /** Takes one. False: there is none. */
  take(rate: number, now: Millis): boolean {
    this.tokens = Math.min(BURST * rate, this.tokens + ((now - this.at) * rate) / 1000);
    this.at = now;
    if (this.tokens < 1) return false;
    this.tokens--;
    return true;
  }
}

const BURST = 10;

/**
 * Limits per source address: an IPv4 address, or the /64 of an IPv6 address. Addresses on UDP can be forged, so nobody is
 * ever locked out: what is over the limit meets silence, and credentials that are valid are not counted.
 */
export class SourceTable {
  readonly #settings: SourceSettings;
  readonly #replies = new Map<string, Bucket>();
  readonly #datagrams = new Map<string, Bucket>();

  constructor(settings: SourceSettings) {
    this.#settings = settings;
  }

  get size(): number {
    return Math.max(this.#replies.size, this.#datagrams.size);
  }

  /** Whether one more datagram from there is read. */
  accepts(address: string, now: Millis): boolean {
    const rate = this.#settings.sourceDatagrams;
    return rate === 0 || this.#bucket(this.#datagrams, address, rate, now).take(rate, now);
  }

  /** Whether a stranger there gets one more answer. */
  mayReply(address: string, now: Millis): boolean {
    const rate = this.#settings.sourceReplies;
    return rate === 0 || this.#bucket(this.#replies, address, rate, now).take(rate, now);
  }

  #bucket(table: Map<string, Bucket>, address: string, rate: number, now: Millis): Bucket {
    const key = sourceOf(address);
    const known = table.get(key);
    if (known !== undefined) {
      table.delete(key);
      table.set(key, known);
      return known;
    }
    if (table.size >= this.#settings.maxSources) table.delete(table.keys().next().value as string);
    const bucket = new Bucket(BURST * rate, now);
    table.set(key, bucket);
    return bucket;
  }
}

/** Who has one IPv6 address has its whole /64. */
function sourceOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':');
    while (groups.length + after.length < 8) groups.push('0');
    groups.push(...after);
  }
  return groups.slice(0, 4).join(':');
}
