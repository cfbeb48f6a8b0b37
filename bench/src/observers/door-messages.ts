import type { MetricName } from '@tandem/core';

/** The attribute that is written. */
export const OBSERVED_KEY = 'k';

export type DoorQuestion =
  /** Makes devices with these access tokens, each with one shared attribute. */
  | { readonly kind: 'create'; readonly tokens: readonly string[] }
  /** Opens the CoAP door; answered with its port. */
  | { readonly kind: 'serve' }
  /** One write of the attribute to each of the devices; answered with `DoorWrites`. */
  | { readonly kind: 'write'; readonly tokens: readonly string[]; readonly value: number }
  /** Answered with the value of a metric. */
  | { readonly kind: 'metric'; readonly name: MetricName };

/** `sharedMicros`. */
export interface DoorWrites {
  /** Before the first write. */
  readonly begun: number;
  /** When the store had accepted the last one. */
  readonly stored: number;
}
