import { type EpochMillis, isFinal, type Rpc, type Uuid } from '@tandem/core';
import type { FoundRegistration, RpcRegistrations } from './rpc-registrations';

/** Commands that are looked at together. */
const PIECE = 500;
/** Commands beyond the limit that one call looks at, where there are some that it cannot give. */
const LOOK_AHEAD = 2_000;

/** A command where its registration says that it is. */
type Read = (deviceId: Uuid, id: Uuid) => Promise<Rpc | undefined>;

/**
 * Finds the commands of all devices whose time in a list has come. One that cannot be read, because another program's key
 * is in its place or its node is away, is left for another time: the others are not held up.
 */
export class ListedRpcs {
  /** How many of the earliest ones the next call leaves out: they stood in the way of the last one. */
  #leftOut = 0;

  /**
   * @param list the entries of the list before a time, earliest first
   * @param look what is to be given for an entry; or that it has been `cleared` out of the list, or `stays` there
   */
  constructor(
    private readonly list: (before: EpochMillis, offset: number, limit: number) => Promise<FoundRegistration[]>,
    private readonly look: (entry: FoundRegistration) => Promise<Rpc | 'cleared' | 'stays'>,
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
      const piece = await this.list(before, stayed + found.length, wanted);
      const outcomes = await Promise.all(piece.map((entry) => this.look(entry).catch(() => 'stays' as const)));
      found.push(...outcomes.flatMap((outcome) => (typeof outcome === 'object' ? outcome : [])));
      if (piece.length < wanted) break;
      stayed += outcomes.filter((outcome) => outcome === 'stays').length;
      looked += piece.length;
    }
    return found;
  }
}

/** Those that have lapsed, and are not final. */
export const lapsedRpcs = (registrations: RpcRegistrations, read: Read): ListedRpcs =>
  new ListedRpcs(
    (...piece) => registrations.lapsed(...piece),
    async ({ id, registration }) => {
      const rpc = registration && (await read(registration.deviceId, id));
      if (!rpc) return (await registrations.clear(id, registration)) ? 'cleared' : 'stays';
      if (!rpc.persistent || !isFinal(rpc)) return rpc;
      await registrations.finish(id, rpc.expirationTime);
      return 'cleared';
    },
  );

/** Persistent ones that are final. */
export const finishedRpcs = (registrations: RpcRegistrations, read: Read): ListedRpcs =>
  new ListedRpcs(
    (...piece) => registrations.finished(...piece),
    async ({ id, registration }) => {
      const rpc = registration && (await read(registration.deviceId, id));
      if (rpc) return rpc;
      return (await registrations.clear(id, registration)) ? 'cleared' : 'stays';
    },
  );
