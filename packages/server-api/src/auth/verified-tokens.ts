import type { KeyObject } from 'node:crypto';
import type { JwtPayload } from 'jsonwebtoken';

/** Claims of a token that lives until `exp`. */
export type Claims = JwtPayload & { readonly exp: number };

/**
 * What tokens say whose signature has been checked: clients send theirs with every request. A token is known until it
 * expires, for as long as the key is the same, and while there is room.
 */
export class VerifiedTokens {
  readonly #claims = new Map<string, Claims>();
  #key: KeyObject | undefined;

  constructor(private readonly max: number) {}

  get size(): number {
    return this.#claims.size;
  }

  /** @param key that tokens are signed with now. @param now in seconds, as `exp` */
  get(token: string, key: KeyObject, now: number): Claims | undefined {
    const claims = key === this.#key ? this.#claims.get(token) : undefined;
    if (!claims || now < claims.exp) return claims;
    this.#claims.delete(token);
    return undefined;
  }

  keep(token: string, key: KeyObject, claims: Claims): void {
    if (key !== this.#key) this.#claims.clear();
    this.#key = key;
    const [oldest] = this.#claims.size >= this.max ? this.#claims.keys() : [];
    if (oldest !== undefined) this.#claims.delete(oldest);
    this.#claims.set(token, claims);
  }
}
