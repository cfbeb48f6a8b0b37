import { createServer, type Server } from 'node:http';
import { EXPOSITION_TYPE } from './exposition';
import { type ListingQuery, listingQuery } from './observation-listing';
import { isReady, type Part, partsJson, renderParts, renderReadiness } from './parts';

/** What the metrics port tells of a process, or of several that share their ports. */
export interface HealthReports {
  /** What hangs and would not after a new start; empty = alive. Resolves within seconds. */
  hanging(): Promise<readonly string[]>;
  /** All parts, up or not. Resolves within seconds. */
  parts(): Promise<readonly Part[]>;
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
    const failed = () => send(503, 'text/plain', 'the check failed\n');
    const sendLiveness = (hanging: readonly string[]) => {
      if (hanging.length === 0) send(200, 'text/plain', 'alive\n');
      else send(503, 'text/plain', hanging.map((part) => `not alive: ${part}\n`).join(''));
    };
    const sendReadiness = (parts: readonly Part[], query: string | undefined) => {
      const status = isReady(parts) ? 200 : 503;
      if (request.headers.accept?.includes('application/json')) send(status, 'application/json', partsJson(parts));
      else if (new URLSearchParams(query).has('verbose')) send(status, 'text/plain', renderParts(parts));
      else send(status, 'text/plain', renderReadiness(parts));
    };
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(405, 'text/plain', 'method not allowed\n');
    const [path, query] = (request.url ?? '').split('?');
    switch (path) {
      case '/livez':
        return void reports.hanging().then(sendLiveness).catch(failed);
      case '/readyz':
        return void reports
          .parts()
          .then((parts) => sendReadiness(parts, query))
          .catch(failed);
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
