import { payloadLimits } from '../payload-limits';
import { flag, millis, port, type Setting, text, whole } from '../setting';

/** The device API over HTTP and the listener it shares with the server API (contract 1.1, 1.9). */
export const HTTP_SETTINGS = {
  HTTP_BIND_ADDRESS: text('0.0.0.0', 'Address of the device API over HTTP and of the server API'),
  HTTP_BIND_PORT: port(8080, 'Port of the device API over HTTP and of the server API'),
  HTTP_REQUEST_TIMEOUT: millis(60_000, 'How long a poll waits that names no time-out'),
  HTTP_MAX_REQUEST_TIMEOUT: millis(300_000, 'The longest a poll may wait; longer wishes are cut'),
  HTTP_TRANSPORT_MAX_PAYLOAD_SIZE_LIMIT_CONFIGURATION: payloadLimits(
    '/api/v1/*/rpc/**=65536;/api/v1/**=52428800',
    'Largest bodies of the device API by path',
  ),
  HTTP_MAX_PAYLOAD_SIZE_LIMIT_CONFIGURATION: payloadLimits(
    '/api/otaPackage/*=537919488;/api/**=16777216',
    'Largest bodies of the server API by path',
  ),
  TANDEM_HTTP_GAP_DELIVERY: flag(true, 'An attribute update that falls between two polls is delivered by the next one'),
  TANDEM_HTTP_MAX_POLLS: whole(100_000, { min: 1 }, 'Open polls of this process; further ones get 429'),
  TANDEM_HTTP_MAX_POLLS_PER_DEVICE: whole(
    32,
    { min: 1 },
    'Open polls and waiting commands of one device on this process; further ones get 429',
  ),
  TANDEM_HTTP_MAX_CONNECTIONS: whole(
    110_000,
    { min: 1 },
    'Connections of this process; for one more, one that is idle is closed, and where there is none it is refused',
  ),
  TANDEM_HTTP_MAX_CONNECTIONS_PER_ADDRESS: whole(
    0,
    { min: 0 },
    'Those of one address, or one /64 network of IPv6, trusted proxies aside; 0: no limit, since fleets sit behind one address',
  ),
  TANDEM_HTTP_MAX_PIPELINED: whole(
    64,
    { min: 1 },
    'Requests on one connection that wait for their answers; with one more the connection is closed',
  ),
  TANDEM_HTTP_HEADERS_TIMEOUT: millis(20_000, 'How long the headers of a request, or a TLS handshake, may take'),
  TANDEM_HTTP_IDLE_TIMEOUT: millis(
    65_000,
    'How long a connection without a request stays open, and one whose client takes nothing of its answer; longer than the 60 s after which load balancers close theirs',
  ),
  TANDEM_HTTP_MIN_RATE: whole(
    1_024,
    { min: 0, unit: 'bytes/s' },
    'A body that comes more slowly, after its first 10 s, gets 408 and its connection is closed; 0: no limit',
  ),
} as const satisfies Record<string, Setting<unknown>>;
