import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Millis, Random } from '@tandem/core';
import type { PeerState } from './peer';
import type { Bytes } from './settings';

/** How long one key makes values. A value is accepted until the key after its own is gone: for one to two of these. */
const KEY_LIFETIME: Millis = 120_000;
/** How long an address that has proved itself counts as proved: a proof is one more round trip of the device. */
const PROOF_LIFETIME: Millis = 3_600_000;
const KEY: Bytes = 32;
/** More than the 64 bits that RFC 9175 section 5 recommends, and short enough for a one-byte option header. */
const ECHO_LENGTH: Bytes = 12;

/**
 * Whether peers receive what is sent to their addresses (RFC 9175 section 2.4, item 3). A value is an HMAC-SHA256 of the
 * peer's address and port, cut to 12 bytes, so nothing is kept about those who have been asked. The key is random, known
 * to this process alone and changed every two minutes, which is all the time there is in a value.
 */
export class EchoProofs {
  readonly #random: Random;
  readonly #now: () => Millis;
  #key: Buffer;
  #previous: Buffer;
  #period: number;

  constructor(random: Random, now: () => Millis) {
    this.#random = random;
    this.#now = now;
    this.#key = random.bytes(KEY);
    this.#previous = random.bytes(KEY);
    this.#period = Math.floor(now() / KEY_LIFETIME);
  }

  /** The value that proves this peer when it comes back from there. */
  challenge(peer: PeerState): Buffer {
    this.#turn();
    return echoFor(this.#key, peer);
  }

  /** Whether the peer has proved itself, be it by `value`, the Echo option of its request. */
  proves(peer: PeerState, value: Buffer | undefined): boolean {
    // A secured session began with a cookie that went the same way (RFC 6347 section 4.2.1).
    if (peer.session !== undefined) return true;
    const now = this.#now();
    if (now < peer.provedUntil) return true;
    if (!this.isProof(peer, value)) return false;
    peer.provedUntil = now + PROOF_LIFETIME;
    return true;
  }

  /** Whether `value` is one that went to this peer's address not long ago. */
  isProof(peer: PeerState, value: Buffer | undefined): boolean {
    if (value === undefined || value.length !== ECHO_LENGTH) return false;
    this.#turn();
    return timingSafeEqual(value, echoFor(this.#key, peer)) || timingSafeEqual(value, echoFor(this.#previous, peer));
  }

  #turn(): void {
    const period = Math.floor(this.#now() / KEY_LIFETIME);
    if (period === this.#period) return;
    this.#previous = period === this.#period + 1 ? this.#key : this.#random.bytes(KEY);
    this.#key = this.#random.bytes(KEY);
    this.#period = period;
  }
}

function echoFor(key: Buffer, peer: PeerState): Buffer {
  return createHmac('sha256', key).update(peer.key).digest().subarray(0, ECHO_LENGTH);
}
