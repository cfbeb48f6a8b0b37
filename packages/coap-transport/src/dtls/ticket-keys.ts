import { hkdfSync } from 'node:crypto';
import type { EpochMillis } from '@tandem/core';

/** What tickets are sealed with (RFC 5077 section 4): whoever has it can read them, and so the sessions they are of. */
export interface TicketKey {
  /** 16 bytes, which stand in the ticket as they are. */
  readonly name: Buffer;
  /** 32 bytes, of AES-256-CBC. */
  readonly cipher: Buffer;
  /** 32 bytes, of HMAC-SHA-256. */
  readonly mac: Buffer;
}

const NAME = 16;
const CIPHER = 32;
const MAC = 32;

/**
 * Keys that follow from a secret and the time: all processes that have the secret have the same ones, and so does the next
 * life of each. A key seals for as long as a session may be resumed, and opens for as long again.
 */
export class TicketKeys {
  #secret: Buffer | undefined;
  readonly #keys = new Map<number, TicketKey>();

  /** @param lifetime in seconds */
  constructor(
    private readonly lifetime: number,
    private readonly now: () => EpochMillis,
  ) {}

  /** Until there is one no tickets are given, and none are taken. */
  use(secret: Buffer): void {
    this.#secret = secret;
    this.#keys.clear();
  }

  get current(): TicketKey | undefined {
    return this.#of(this.#period);
  }

  /** The key with that name, where it is one of now. Clocks of processes differ: the next one is as well. */
  named(name: Buffer): TicketKey | undefined {
    const period = this.#period;
    for (const one of [period, period - 1, period + 1]) {
      const key = this.#of(one);
      if (key?.name.equals(name)) return key;
    }
    return undefined;
  }

  get #period(): number {
    return Math.floor(this.now() / (this.lifetime * 1_000));
  }

  #of(period: number): TicketKey | undefined {
    if (this.#secret === undefined) return undefined;
    let key = this.#keys.get(period);
    if (key === undefined) {
      for (const known of [...this.#keys.keys()]) if (Math.abs(known - period) > 2) this.#keys.delete(known);
      key = derived(this.#secret, `tandem dtls ticket ${this.lifetime} ${period}`);
      this.#keys.set(period, key);
    }
    return key;
  }
}

function derived(secret: Buffer, info: string): TicketKey {
  const bytes = Buffer.from(hkdfSync('sha256', secret, '', info, NAME + CIPHER + MAC));
  return {
    name: bytes.subarray(0, NAME),
    cipher: bytes.subarray(NAME, NAME + CIPHER),
    mac: bytes.subarray(NAME + CIPHER),
  };
}
