import type { ListedObservation } from '@tandem/coap-transport';
import type { Exposition } from './exposition';
import type { HealthReports } from './health';
import { listObservations, renderListing } from './observation-listing';
import type { Readiness } from './readiness';

/**
 * What the metrics port tells of this process.
 * @param observations those of all CoAP doors, none before they are open
 */
export function reportsOf(
  metrics: Pick<Exposition, 'text'>,
  readiness: Readiness,
  observations: () => Iterable<ListedObservation>,
): HealthReports {
  return {
    // Who can answer does not hang.
    hanging: async () => [],
    notReady: () => readiness.notReady(),
    metrics: () => metrics.text(),
    observations: async (query) => renderListing([await listObservations(observations(), query)], query),
  };
}
