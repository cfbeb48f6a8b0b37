import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Millis } from '@tandem/core';

/** Interfaces come and go. */
const LIST_LIFETIME: Millis = 60_000;

/** The addresses under which a socket can be reached: the one it is bound to, or all of the machine. */
export class OwnAddresses {
  readonly #bound: string;
  readonly #all: boolean;
  readonly #now: () => Millis;
  readonly #list: () => Iterable<string>;
  #known = new Set<string>();
  #until: Millis = Number.NEGATIVE_INFINITY;

  /** @param bound 0.0.0.0 and :: stand for all */
  constructor(bound: string, now: () => Millis, list: () => Iterable<string> = addressesOfTheMachine) {
    this.#bound = bound;
    this.#all = bound === '0.0.0.0' || bound === '::';
    this.#now = now;
    this.#list = list;
  }

  has(address: string): boolean {
    const plain = address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
    if (!this.#all) return address === this.#bound || plain === this.#bound;
    return plain.startsWith('127.') || plain === '::1' || this.#machine().has(plain);
  }

  #machine(): ReadonlySet<string> {
    const now = this.#now();
    if (now >= this.#until) {
      this.#known = new Set(this.#list());
      this.#until = now + LIST_LIFETIME;
    }
    return this.#known;
  }
}

function addressesOfTheMachine(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));
}
