import type { Millis } from '@tandem/core';

/**
 * The ClientHellos that have begun a handshake, for as long as their cookie is good: the same one again is a repetition by the
 * network, or by somebody who has seen it pass, and begins none. In two generations, so that to forget costs nothing.
 */
export class SeenHellos {
  #recent = new Set<string>();
  #older = new Set<string>();
  #turned: Millis;

  /** @param max remembered at once; beyond it the oldest are forgotten early, and limits on handshakes have to do */
  constructor(
    private readonly max: number,
    private readonly lifetime: Millis,
    private readonly now: () => Millis,
  ) {
    this.#turned = now();
  }

  get size(): number {
    return this.#recent.size + this.#older.size;
  }

  /** @param hello address and random: another address with the same random is somebody else */
  has(hello: string): boolean {
    this.#turn();
    return this.#recent.has(hello) || this.#older.has(hello);
  }

  add(hello: string): void {
    this.#turn();
    this.#recent.add(hello);
  }

  /** It may begin another handshake. */
  forget(hello: string): void {
    this.#recent.delete(hello);
    this.#older.delete(hello);
  }

  #turn(): void {
    const now = this.now();
    const age = now - this.#turned;
    if (age < this.lifetime && this.#recent.size < this.max / 2) return;
    this.#older = age < 2 * this.lifetime ? this.#recent : new Set();
    this.#recent = new Set();
    this.#turned = now;
  }
}
