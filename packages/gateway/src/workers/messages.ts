import type { CoapSockets } from '../doors/coap-doors';
import type { Gateway } from '../gateway';
import type { MetricsSnapshot } from '../metrics-port/exposition';
import type { Listing, ListingQuery } from '../metrics-port/observation-listing';
import type { Part } from '../metrics-port/parts';
import type { SettingsSources } from '../settings/settings-file';

/** What the supervisor and its workers tell each other, as JSON. */

/** The first message to a worker. */
export interface Begin {
  readonly kind: 'begin';
  /** From 1 on; whoever takes the place of a worker has its number. */
  readonly worker: number;
  /** As the supervisor read them when it started, so that all go by the same. */
  readonly sources: SettingsSources;
  readonly sockets: CoapSockets;
}

/** What can be asked, and what it is answered with. */
export interface Answers {
  readonly hanging: readonly string[];
  readonly parts: readonly Part[];
  readonly metrics: MetricsSnapshot;
  readonly observations: Listing;
}

export type Question =
  | { readonly about: 'hanging' }
  | { readonly about: 'parts' }
  | { readonly about: 'metrics' }
  | { readonly about: 'observations'; readonly query: ListingQuery };

export type ToWorker = Begin | { readonly kind: 'ask'; readonly id: number; readonly question: Question };

export type FromWorker =
  | { readonly kind: 'ready'; readonly ports: Gateway['ports'] }
  /** It cannot start, and ends. */
  | { readonly kind: 'refused'; readonly problem: string }
  /** Now and then, and as it stops: counters and histograms, for when it can say nothing any more. */
  | { readonly kind: 'counts'; readonly counts: MetricsSnapshot }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answers[keyof Answers] };
