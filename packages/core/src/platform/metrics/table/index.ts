import { COAP_METRICS } from './coap';
import { DEVICE_METRICS, PROVISIONING_METRICS, RPC_METRICS } from './devices';
import { DTLS_METRICS } from './dtls';
import { FIRMWARE_METRICS } from './firmware';
import { HTTP_METRICS } from './http';
import { PROCESS_METRICS } from './process';
import { REQUEST_METRICS } from './requests';
import { SERVER_API_METRICS } from './server-api';
import { STORE_METRICS, TELEMETRY_METRICS } from './store';
import { TRACE_METRICS } from './traces';
import { WORKER_METRICS } from './workers';

/** Every metric, under the heading that it has in `docs/reference/metrics.md`. */
export const METRIC_TOPICS = {
  Requests: REQUEST_METRICS,
  HTTP: HTTP_METRICS,
  CoAP: COAP_METRICS,
  DTLS: DTLS_METRICS,
  Devices: DEVICE_METRICS,
  Commands: RPC_METRICS,
  Provisioning: PROVISIONING_METRICS,
  'Firmware and software': FIRMWARE_METRICS,
  Telemetry: TELEMETRY_METRICS,
  Store: STORE_METRICS,
  'Server API': SERVER_API_METRICS,
  Traces: TRACE_METRICS,
  Workers: WORKER_METRICS,
  Process: PROCESS_METRICS,
} as const;

/** Those that parts of the gateway ask for, by name. */
export const METRICS = {
  ...REQUEST_METRICS,
  ...HTTP_METRICS,
  ...COAP_METRICS,
  ...DTLS_METRICS,
  ...DEVICE_METRICS,
  ...RPC_METRICS,
  ...PROVISIONING_METRICS,
  ...FIRMWARE_METRICS,
  ...TELEMETRY_METRICS,
  ...STORE_METRICS,
  ...SERVER_API_METRICS,
  ...TRACE_METRICS,
  ...WORKER_METRICS,
} as const;
