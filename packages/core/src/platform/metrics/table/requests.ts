import { counter, gauge, histogram } from '../row';

/** Where requests come in; `api` is the server API. */
const PROTOCOL = ['http', 'coap', 'coaps', 'api'] as const;

/** What is asked for. Of the server API it is the heading under which OpenAPI has the call. */
const OPERATION = {
  telemetry: 'telemetry is sent',
  attributes_read: 'attributes are read',
  attributes_write: 'client attributes are sent',
  attributes_poll: 'a poll for updates of attributes, over HTTP',
  attributes_observe: 'an observation of attributes begins, over CoAP',
  rpc_poll: 'a poll for commands, over HTTP',
  rpc_observe: 'an observation of commands begins or ends, over CoAP',
  rpc_reply: 'a command is answered',
  client_rpc: 'a command of the device, for the webhook',
  claim: 'the device says who may claim it',
  provision: 'a device provisions itself',
  firmware: 'firmware is downloaded',
  software: 'software is downloaded',
  authentication: 'server API: logins, passwords, API keys',
  tenants: 'server API',
  customers: 'server API',
  users: 'server API',
  devices: 'server API: devices, their credentials and lists',
  claiming: 'server API: devices are claimed',
  device_profiles: 'server API',
  ota_packages: 'server API: packages of firmware and software',
  attributes: 'server API',
  time_series: 'server API',
  commands: 'server API: commands to devices, most of which wait for an answer',
  other: 'pages, what there is not, what takes no such method, and what was refused before that was looked at',
} as const;

/** Statuses of HTTP. */
const STATUS = [
  '200', '201', '204', '206', '304', '400', '401', '403', '404', '405', '408', '409', '413', '415', '416', '417', '429',
  '431', '500', '501', '503', '504',
] as const; // biome-ignore format: a set

/** Codes of CoAP (RFC 7252 section 12.1.2). */
export const COAP_CODE = [
  '2.01',
  '2.02',
  '2.03',
  '2.04',
  '2.05',
  '2.31',
  '4.00',
  '4.01',
  '4.02',
  '4.03',
  '4.04',
  '4.05',
  '4.06',
  '4.08',
  '4.09',
  '4.12',
  '4.13',
  '4.15',
  '4.29',
  '5.00',
  '5.01',
  '5.03',
  '5.04',
  'other',
] as const;

/** Seconds. */
const LATENCY = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const WAITING = [0.1, 1, 5, 15, 30, 60, 120, 300, 600, 1_800, 3_600];

export const REQUEST_METRICS = {
  tandem_requests_total: counter(
    'every process',
    'Requests that were answered; later blocks of a long answer are none',
    {
      labels: { protocol: PROTOCOL, operation: OPERATION, code: [...STATUS, ...COAP_CODE] },
    },
  ),
  tandem_request_duration_seconds: histogram(
    'every process',
    'From the arrival of a request to its answer, a slow body included; of polls see tandem_wait_duration_seconds',
    { labels: { protocol: PROTOCOL, operation: OPERATION }, buckets: LATENCY },
  ),
  tandem_wait_duration_seconds: histogram('every process', 'How long polls waited', {
    labels: { kind: ['attributes', 'rpc'] },
    buckets: WAITING,
  }),
  tandem_limit_hits_total: counter(
    'every process',
    'What was refused for being one too many, by the setting that says so',
    {
      labels: {
        limit: [
          'TANDEM_RATE_LIMIT_DEVICE_MSGS',
          'TANDEM_RATE_LIMIT_DEVICE_TELEMETRY_MSGS',
          'TANDEM_RATE_LIMIT_DEVICE_TELEMETRY_DATA_POINTS',
          'TANDEM_RATE_LIMIT_TENANT_MSGS',
          'TANDEM_RATE_LIMIT_TENANT_TELEMETRY_MSGS',
          'TANDEM_RATE_LIMIT_TENANT_TELEMETRY_DATA_POINTS',
          'TANDEM_HTTP_MAX_CONNECTIONS',
          'TANDEM_HTTP_MAX_CONNECTIONS_PER_ADDRESS',
          'TANDEM_HTTP_MAX_PIPELINED',
          'TANDEM_HTTP_MAX_POLLS',
          'TANDEM_HTTP_MAX_POLLS_PER_DEVICE',
          'TANDEM_RPC_MAX_WAITING',
          'TANDEM_ACTIVITY_MAX_DEVICES',
          'TANDEM_CLAIM_FAILURES',
          'TANDEM_COAP_MAX_LOOKUPS',
          'TANDEM_CREDENTIALS_MAX_LOOKUPS',
          'TANDEM_FIRMWARE_MAX_DOWNLOADS',
          'TANDEM_PROVISION_MAX_RUNNING',
          'TANDEM_PROVISION_RATE',
          'TANDEM_REDIS_MAX_IN_FLIGHT_BYTES',
          'TANDEM_TELEMETRY_BACKLOG_MAX',
          'TANDEM_TENANT_MAX_DEVICES',
          'TANDEM_WS_MAX_SESSIONS',
          'TANDEM_WS_MAX_SESSIONS_PER_TENANT',
          'TANDEM_WS_MAX_SESSIONS_PER_USER',
          'TANDEM_WS_MAX_STRANGERS',
          'TANDEM_WS_MAX_STRANGERS_PER_ADDRESS',
          'TANDEM_WS_MAX_SUBSCRIPTIONS',
          'TANDEM_WS_MAX_SUBSCRIPTIONS_PER_SESSION',
          'TANDEM_WS_MAX_COMMANDS',
        ],
      },
    },
  ),
  tandem_rate_limit_buckets: gauge('embedded', 'Buckets of rate limits that the store keeps'),
  tandem_rate_limit_fallback_buckets: gauge(
    'every process',
    'Buckets of rate limits that this process keeps for itself while the store does not answer',
  ),
  tandem_rate_limit_fallbacks_total: counter(
    'every process',
    'Questions for a rate limit that the store did not answer and this process decided alone',
  ),
};
