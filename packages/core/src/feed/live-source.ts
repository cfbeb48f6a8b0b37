import { createHash } from 'node:crypto';
import type { Value } from '../payload/value';
import type { EpochMillis } from '../platform/clock';
import type { FeedChange } from '../state/device-feed';

/** A value of a device, or that there is none any more. */
export interface LiveEntry {
  /** Tells one value of the device from the others: of two entries with the same id the later one is the state. */
  readonly id: string;
  readonly key: string;
  readonly ts: EpochMillis;
  /** Undefined for an attribute that was deleted. */
  readonly value: Value | undefined;
}

export type FirstState =
  /** All there is, one entry for each id. */
  | { readonly kind: 'state'; readonly entries: readonly LiveEntry[] }
  /** A part of what there was; `newest` is what is known by it, one entry for each id at the most. */
  | { readonly kind: 'history'; readonly entries: readonly LiveEntry[]; readonly newest: readonly LiveEntry[] };

/** What of a device somebody follows: how it is read, and which changes concern it. */
export interface LiveSource {
  /** What is told first. */
  first(): Promise<FirstState>;
  /** The state, to find out what was missed. */
  again(): Promise<readonly LiveEntry[]>;
  /** What of a change concerns it, in its order. */
  entries(change: FeedChange): readonly LiveEntry[];
  /** Ids of other values that go by the same key. */
  others(id: string): readonly string[];
  /** Entries that are older than the state of their id are not told. */
  readonly onlyNewer: boolean;
  /** That an id is not in the state any more is told. */
  readonly tellsAbsence: boolean;
}

/** Longer ones are known by their hash. */
const SHORT = 64;

/** The time of an entry, a space, and its value or what stands for it. */
export function printOf({ ts, value = '' as Value }: Pick<LiveEntry, 'ts' | 'value'>): string {
  const shown = value.length <= SHORT ? value : createHash('sha256').update(value).digest('base64');
  // A copy: a piece of a message would keep the whole message in memory.
  return Buffer.from(`${ts} ${shown}`).toString();
}

export const timeOf = (print: string): EpochMillis => Number(print.slice(0, print.indexOf(' ')));
