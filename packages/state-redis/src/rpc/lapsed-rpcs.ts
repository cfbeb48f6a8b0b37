import { type EpochMillis, isFinal, type Rpc, type Uuid } from '@tandem/core';
import type { FoundRegistration, RpcRegistrations } from './rpc-registrations';

/** Commands that are looked at together. */
const PIECE = 500;
/** Commands beyond the limit that one call looks at, where there are some that it cannot give. */
const LOOK_AHEAD = 2_000;

/**
 * Finds the commands of all devices that have lapsed. One that cannot be read, because another program's key is in its
 * place or its node is away, is left for another time: the others are not held up.
 */
export class LapsedRpcs {
  /** How many of the earliest ones the next call leaves out: they stood in the way of the last one. */
  #leftOut = 0;

  /** @param read a command where its registration says that it is */
  constructor(
    private readonly registrations: RpcRegistrations,
    private readonly read: (deviceId: Uuid, id: Uuid) => Promise<Rpc | undefined>,
  ) {}

  /** At most `limit`, earliest first. Clears away what a process left that died. */
  async find(before: EpochMillis, limit: number): Promise<Rpc[]> {
    const found: Rpc[] = [];
    let stayed = this.#leftOut;
    this.#leftOut = 0;
    for (let looked = 0; found.length < limit; ) {
      if (looked >= limit + LOOK_AHEAD) {
        this.#leftOut = stayed;
        break;
      }
      const wanted = Math.min(limit - found.length, PIECE);
      const piece = await this.registrations.lapsed(before, stayed + found.length, wanted);
      const outcomes = await Promise.all(piece.map((lapsed) => this.#look(lapsed).catch(() => 'stays' as const)));
      found.push(...outcomes.flatMap((outcome) => (typeof outcome === 'object' ? outcome : [])));
      if (piece.length < wanted) break;
      stayed += outcomes.filter((outcome) => outcome === 'stays').length;
      looked += piece.length;
    }
    return found;
  }

  async #look({ id, registration }: FoundRegistration): Promise<Rpc | 'cleared' | 'stays'> {
    const rpc = registration && (await this.read(registration.deviceId, id));
    if (!rpc) return (await this.registrations.clear(id, registration)) ? 'cleared' : 'stays';
    if (!rpc.persistent || !isFinal(rpc)) return rpc;
    await this.registrations.neverLapses(id);
    return 'cleared';
  }
}
