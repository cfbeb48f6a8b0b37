import { type KeyValue, renderObject, trustedValue, type Value } from '../payload/value';
import type { AttributeEvent } from '../state/device-events';

/** The member that lists the keys that are gone (contract 1.5.3). */
const DELETED = 'deleted';

/** Changes of shared attributes folded into one: what a waiter that saw none of them has to be told. */
export class AttributeDelta {
  readonly #updated = new Map<string, Value>();
  readonly #deleted = new Set<string>();

  add(event: Pick<AttributeEvent, 'updated' | 'deleted'>): void {
    for (const { key, value } of event.updated) {
      this.#deleted.delete(key);
      this.#updated.set(key, value);
    }
    for (const key of event.deleted) {
      this.#updated.delete(key);
      this.#deleted.add(key);
    }
  }

  /**
   * Whether what the device is told after `add` has one meaning: an attribute named `deleted` and the list of deleted keys
   * cannot both be members of one flat object.
   */
  canTell({ updated, deleted }: Pick<AttributeEvent, 'updated' | 'deleted'>): boolean {
    if (this.empty) return true;
    const named = this.#updated.has(DELETED) || updated.some(({ key }) => key === DELETED);
    return !named || (this.#deleted.size === 0 && deleted.length === 0);
  }

  /** The keys a waiter has, to what they are once it has been told this. */
  appliedTo(told: readonly string[]): readonly string[] {
    const keys = new Set(told);
    for (const key of this.#deleted) keys.delete(key);
    for (const key of this.#updated.keys()) keys.add(key);
    return [...keys];
  }

  get empty(): boolean {
    return this.#updated.size === 0 && this.#deleted.size === 0;
  }

  /** The flat form of contract 1.5.3: `{"k":v,...}`, `{"deleted":["k"]}`, or both kinds of member in one object. */
  render(): string {
    const members: KeyValue[] = [...this.#updated].map(([key, value]) => ({ key, value }));
    if (this.#deleted.size > 0) {
      members.push({ key: DELETED, value: trustedValue(JSON.stringify([...this.#deleted])) });
    }
    return renderObject(members);
  }
}
