import { h } from './dom.js';
import { age } from './format.js';

export interface EntityId {
  readonly id: string;
}

/** What the server API tells of a device in a list. */
export interface DeviceInfo {
  readonly id: EntityId;
  readonly createdTime: number;
  readonly name: string;
  readonly label: string | null;
  /** The name of its profile. */
  readonly type: string;
  readonly deviceProfileId: EntityId;
  readonly customerId: EntityId;
  readonly customerTitle: string | null;
  readonly firmwareId: EntityId | null;
  readonly softwareId: EntityId | null;
  readonly active: boolean;
}

/** Whether a device is active, as a mark and a word. */
export class StateChip {
  readonly element = h('span', { class: 'state' });

  constructor(active: boolean) {
    this.set(active);
  }

  set(active: boolean): void {
    this.element.dataset.active = String(active);
    const text = active ? 'active' : 'inactive';
    if (this.element.textContent !== text) this.element.textContent = text;
  }
}

/** @param then 0 when it was never heard of */
export const heardText = (then: number): string => (then > 0 ? `${age(then, Date.now())} ago` : 'never');
