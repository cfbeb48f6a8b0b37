import type { ListedObservation } from '@tandem/coap-transport';
import type { Exposition, MetricsSnapshot } from './exposition';
import type { HealthReports } from './health';
import { type Listing, type ListingQuery, listObservations, renderListing } from './observation-listing';
import type { Part } from './parts';
import type { Readiness } from './readiness';

/** What one process knows of itself, as it can be sent to another one. */
export interface ProcessReports {
  hanging(): readonly string[];
  parts(): Promise<readonly Part[]>;
  metrics(): Promise<MetricsSnapshot>;
  /** Counters and histograms alone. */
  counts(): Promise<MetricsSnapshot>;
  observations(query: ListingQuery): Promise<Listing>;
}

/** @param observations those of all CoAP doors, none before they are open */
export function processReports(
  metrics: Pick<Exposition, 'snapshot' | 'counts'>,
  readiness: Readiness,
  observations: () => Iterable<ListedObservation>,
): ProcessReports {
  return {
    hanging: () => readiness.hanging(),
    parts: () => readiness.parts(),
    metrics: () => metrics.snapshot(),
    counts: () => metrics.counts(),
    observations: (query) => listObservations(observations(), query),
  };
}

/** What the metrics port tells of a process that is alone. */
export function healthReports(reports: ProcessReports, metrics: Pick<Exposition, 'text'>): HealthReports {
  return {
    hanging: async () => reports.hanging(),
    parts: () => reports.parts(),
    metrics: () => metrics.text(),
    observations: async (query) => renderListing([await reports.observations(query)], query),
  };
}
