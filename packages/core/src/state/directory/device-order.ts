import type { Device } from '../../devices/model';

/** What devices can be listed by (server contract 1.3). */
export const DEVICE_SORT_PROPERTIES = ['createdTime', 'name', 'type', 'label', 'deviceProfileName'] as const;
export type DeviceSortProperty = (typeof DEVICE_SORT_PROPERTIES)[number];

const collator = new Intl.Collator('en');

/**
 * How two devices of a tenant compare by a property; those that have the same are told apart by their names, so that
 * every list has one order only.
 */
export function deviceOrder(property: string): (a: Device, b: Device) => number {
  const first = FIRST[property as DeviceSortProperty] ?? FIRST.createdTime;
  return (a, b) => first(a, b) || byName(a, b);
}

const byName = (a: Device, b: Device): number =>
  collator.compare(a.name, b.name) || (a.name < b.name ? -1 : Number(a.name > b.name));
const byType = (a: Device, b: Device): number => (a.type === b.type ? 0 : collator.compare(a.type, b.type));

const FIRST: Readonly<Record<DeviceSortProperty, (a: Device, b: Device) => number>> = {
  createdTime: (a, b) => a.createdTime - b.createdTime,
  name: () => 0,
  type: byType,
  // The name of a device's profile is its type.
  deviceProfileName: byType,
  label: (a, b) => collator.compare(a.label ?? '', b.label ?? ''),
};
