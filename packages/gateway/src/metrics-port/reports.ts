import type { ListedObservation } from '@tandem/coap-transport';
import type { Exposition, MetricsSnapshot } from './exposition';
import type { HealthReports } from './health';
import { type Listing, type ListingQuery, listObservations, renderListing } from './observation-listing';
import type { Readiness } from './readiness';

/** What one process knows of itself, as it can be sent to another one. */
export interface ProcessReports {
  notReady(): Promise<readonly string[]>;
  metrics(): Promise<MetricsSnapshot>;
  observations(query: ListingQuery): Promise<Listing>;
}

/** @param observations those of all CoAP doors, none before they are open */
export function processReports(
  metrics: Pick<Exposition, 'snapshot'>,
  readiness: Readiness,
  observations: () => Iterable<ListedObservation>,
): ProcessReports {
  return {
    notReady: () => readiness.notReady(),
    metrics: () => metrics.snapshot(),
    observations: (query) => listObservations(observations(), query),
  };
}

/** What the metrics port tells of a process that is alone. */
export function healthReports(reports: ProcessReports, metrics: Pick<Exposition, 'text'>): HealthReports {
  return {
    // Who can answer does not hang.
    hanging: async () => [],
    notReady: () => reports.notReady(),
    metrics: () => metrics.text(),
    observations: async (query) => renderListing([await reports.observations(query)], query),
  };
}
