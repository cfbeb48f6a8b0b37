import { DELETED_MEMBER, type DeviceMessage } from '../payload/format/index';
import type { Value } from '../payload/value';
import type { AttributeEvent } from '../state/device-events';

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
    const named = this.#updated.has(DELETED_MEMBER) || updated.some(({ key }) => key === DELETED_MEMBER);
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

  get message(): DeviceMessage {
    return {
      kind: 'update',
      updated: [...this.#updated].map(([key, value]) => ({ key, value })),
      deleted: [...this.#deleted],
    };
  }
}
