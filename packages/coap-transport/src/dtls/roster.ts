import { type AgeEntry, AgeList } from './age-list';

/** What a roster keeps of each of its members. */
export interface Membership<T> {
  readonly source: string;
  readonly inAll: AgeEntry<T>;
  readonly inSource: AgeEntry<T>;
}

/** Sessions or handshakes by age: of all together and of each source, which is an address or a /64 network of IPv6. */
export class Roster<T extends { membership: Membership<T> | undefined }> {
  readonly #all = new AgeList<T>();
  readonly #bySource = new Map<string, AgeList<T>>();

  get size(): number {
    return this.#all.size;
  }

  get oldest(): T | undefined {
    return this.#all.oldest;
  }

  sizeOf(source: string): number {
    return this.#bySource.get(source)?.size ?? 0;
  }

  oldestOf(source: string): T | undefined {
    return this.#bySource.get(source)?.oldest;
  }

  /** The oldest of the source that has most. Costs a look at each source. */
  oldestOfMost(): T | undefined {
    let most: AgeList<T> | undefined;
    for (const list of this.#bySource.values()) if (most === undefined || list.size > most.size) most = list;
    return most?.oldest;
  }

  add(member: T, source: string): void {
    let list = this.#bySource.get(source);
    if (list === undefined) {
      list = new AgeList();
      this.#bySource.set(source, list);
    }
    member.membership = { source, inAll: this.#all.add(member), inSource: list.add(member) };
  }

  /** It is the newest from now on. */
  renew({ membership }: T): void {
    if (membership === undefined) return;
    this.#all.renew(membership.inAll);
    this.#bySource.get(membership.source)?.renew(membership.inSource);
  }

  remove(member: T): void {
    const { membership } = member;
    if (membership === undefined) return;
    member.membership = undefined;
    this.#all.remove(membership.inAll);
    const list = this.#bySource.get(membership.source);
    list?.remove(membership.inSource);
    if (list?.size === 0) this.#bySource.delete(membership.source);
  }

  /** Those of now, oldest first: whatever changes meanwhile is not in it. */
  members(): readonly T[] {
    return [...this.#all];
  }
}
