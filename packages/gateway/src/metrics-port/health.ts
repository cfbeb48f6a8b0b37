import { createServer, type Server } from 'node:http';
import { EXPOSITION_TYPE } from './exposition';
import { type ListingQuery, listingQuery } from './observation-listing';

/** What the metrics port tells of a process, or of several that share their ports. */
export interface HealthReports {
  /** The parts that hang; empty = alive. Resolves within seconds. */
  hanging(): Promise<readonly string[]>;
  /** The parts that are not up; empty = ready. Resolves within seconds. */
  notReady(): Promise<readonly string[]>;
  /** In the text format of Prometheus. */
  metrics(): Promise<string>;
  /** The JSON of `GET /observations`. */
  observations(query: ListingQuery): Promise<string>;
}

/** `/livez`, `/readyz`, `/metrics` and `/observations`, on a port of their own that stays inside. */
export function createHealthServer(reports: HealthReports): Server {
  return createServer((request, response) => {
    const send = (status: number, type: string, body: string) => {
      response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
    };
    const sendReport = (type: string, report: Promise<string>, otherwise: string) => {
      report.then(
        (body) => send(200, type, body),
        () => send(500, 'text/plain', `${otherwise}\n`),
      );
    };
    const sendParts = (good: string, bad: string, check: Promise<readonly string[]>) => {
      check.then(
        (parts) => {
          if (parts.length === 0) send(200, 'text/plain', `${good}\n`);
          else send(503, 'text/plain', parts.map((part) => `${bad}: ${part}\n`).join(''));
        },
        () => send(503, 'text/plain', 'the check failed\n'),
      );
    };
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(405, 'text/plain', 'method not allowed\n');
    const [path, query] = (request.url ?? '').split('?');
    switch (path) {
      case '/livez':
        return sendParts('alive', 'not alive', reports.hanging());
      case '/readyz':
        return sendParts('ready', 'not ready', reports.notReady());
      case '/metrics':
        return sendReport(EXPOSITION_TYPE, reports.metrics(), 'the metrics could not be read');
      case '/observations': {
        const asked = listingQuery(new URLSearchParams(query));
        if (typeof asked === 'string') return send(400, 'text/plain', `${asked}\n`);
        return sendReport('application/json', reports.observations(asked), 'the observations could not be listed');
      }
      default:
        return send(404, 'text/plain', 'only /livez, /readyz, /metrics and /observations\n');
    }
  });
}
