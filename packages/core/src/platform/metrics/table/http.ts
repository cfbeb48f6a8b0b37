import { counter, gauge } from '../row';

export const HTTP_METRICS = {
  tandem_http_received_requests_total: counter('http', 'Requests of devices that were received, answered or not', {
    labels: {
      operation: [
        'telemetry',
        'attributes_read',
        'attributes_write',
        'attributes_poll',
        'rpc_poll',
        'rpc_reply',
        'client_rpc',
        'claim',
        'provision',
        'firmware',
        'software',
      ],
    },
  }),
  tandem_http_connections: gauge('http or api', 'Open connections'),
  tandem_http_connections_closed_total: counter('http or api', 'Connections that were closed by the gateway', {
    labels: {
      reason: {
        evicted: 'idle, and room was needed for another',
        slow_sender: 'a body came too slowly',
        slow_reader: 'the client did not read',
      },
    },
  }),
  tandem_http_open_polls: gauge('http', 'Polls that wait for an event'),
  tandem_https_handshakes_failed_total: counter('http or api', 'TLS handshakes that did not come to their end'),
  tandem_certificate_expiry_timestamp_seconds: gauge('every process', 'When the certificate ends that is served', {
    labels: { door: ['https', 'coaps'] },
    across: 'min',
  }),
};
