import { createServer, type Server } from 'node:http';
import type { ListedObservation } from '@tandem/coap-transport';
import type { MetricsRegistry } from '@tandem/core';
import { listingQuery, renderListing } from './observation-listing';
import { renderMetrics } from './render-metrics';

/** What the metrics port asks of the process. */
export interface Health {
  /** The parts that are not up; empty = ready. */
  notReady(): Promise<readonly string[]>;
}

/**
 * `/livez`, `/readyz`, `/metrics` and `/observations`, on a port of their own that stays inside.
 * @param observations those of all CoAP doors, none before they are open
 */
export function createHealthServer(
  metrics: MetricsRegistry,
  health: Health,
  observations: () => Iterable<ListedObservation>,
): Server {
  return createServer((request, response) => {
    const send = (status: number, type: string, body: string) => {
      response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
    };
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(405, 'text/plain', 'method not allowed\n');
    const [path, query] = (request.url ?? '').split('?');
    switch (path) {
      case '/livez':
        return send(200, 'text/plain', 'alive\n');
      case '/readyz':
        health.notReady().then(
          (parts) => (parts.length === 0 ? send(200, 'text/plain', 'ready\n') : send(503, 'text/plain', lines(parts))),
          () => send(503, 'text/plain', 'the check failed\n'),
        );
        return;
      case '/metrics':
        return send(200, 'text/plain; version=0.0.4; charset=utf-8', renderMetrics(metrics));
      case '/observations': {
        const asked = listingQuery(new URLSearchParams(query));
        if (typeof asked === 'string') return send(400, 'text/plain', `${asked}\n`);
        renderListing(observations(), asked).then(
          (listing) => send(200, 'application/json', listing),
          () => send(500, 'text/plain', 'the observations could not be listed\n'),
        );
        return;
      }
      default:
        return send(404, 'text/plain', 'only /livez, /readyz, /metrics and /observations\n');
    }
  });
}

const lines = (parts: readonly string[]) => parts.map((part) => `not ready: ${part}\n`).join('');
