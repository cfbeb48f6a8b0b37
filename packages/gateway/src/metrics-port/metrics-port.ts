import type { Settings } from '@tandem/core';
import { bind } from '../doors/bind';
import { closeServer } from '../shutdown/http-close';
import type { Shutdown } from '../shutdown/shutdown';
import { createHealthServer, type HealthReports } from './health';

/**
 * `/metrics` and what else an operator asks, until the shutdown is over.
 * @returns the port. @throws Error that names the setting whose port cannot be had
 */
export async function openMetricsPort(settings: Settings, reports: HealthReports, shutdown: Shutdown): Promise<number> {
  const server = createHealthServer(reports);
  const port = await bind(server, settings.TANDEM_METRICS_ADDRESS, 'TANDEM_METRICS_PORT', settings);
  shutdown.last('metrics', () => closeServer(server));
  return port;
}
