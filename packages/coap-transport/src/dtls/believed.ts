import type { ClientTrust } from '@tandem/core';
import type { DtlsSession } from './session';

/**
 * By whom certificates of clients are believed, and since which change of that. Sessions live for days: whoever was believed by
 * authorities or a list of revoked certificates that are others by now has to show its certificate again.
 */
export class Believed {
  /** Counts the changes. */
  #generation = 0;

  constructor(private trust: ClientTrust | undefined) {}

  get generation(): number {
    return this.#generation;
  }

  /** @returns whether it is another one */
  change(trust: ClientTrust | undefined): boolean {
    const isSame = trust?.authorities === this.trust?.authorities && trust?.revoked === this.trust?.revoked;
    if (isSame) return false;
    this.trust = trust;
    this.#generation++;
    return true;
  }

  /** Of a session whose handshake began in a generation. */
  stillHolds({ identity }: Pick<DtlsSession, 'identity'>, generation: number): boolean {
    return generation === this.#generation || identity.certificateIds.length === 0;
  }
}
