import type { Environment } from '../support/gateway-process';

/** Smaller than the defaults, so that a flood of seconds reaches all of them. */
const PEERS = 1_000;
const OBSERVATIONS = 60;
const EXCHANGES = 600;
const SOURCES = 1_000;
const WINDOW = 512 << 10;
const BLOCKWISE = 128 << 10;

export const SETTINGS: Environment = {
  TANDEM_COAP_SOURCE_REPLIES: '30',
  TANDEM_COAP_MAX_PEERS: String(PEERS),
  TANDEM_COAP_MAX_SOURCES: String(SOURCES),
  COAP_MAX_OBSERVATIONS: String(OBSERVATIONS),
  TANDEM_COAP_MAX_OBSERVATIONS_PER_PEER: '20',
  TANDEM_COAP_MAX_EXCHANGES: String(EXCHANGES),
  TANDEM_COAP_MAX_EXCHANGES_PER_PEER: '8',
  TANDEM_COAP_DEDUPLICATION_BYTES: String(WINDOW),
  TANDEM_COAP_BLOCKWISE_BYTES: String(BLOCKWISE),
  TANDEM_COAP_BLOCKWISE_BYTES_PER_PEER: '32768',
  TANDEM_COAP_MAX_BODY: '32768',
  // A device's own command is over soon: nothing here answers it.
  CLIENT_SIDE_RPC_TIMEOUT: '2000',
};

/** The most that each metric may ever show. */
export const BOUNDS: Readonly<Record<string, number>> = {
  // Peers with something under way are kept beyond the limit on those without.
  'tandem_coap_peers{protocol="coap"}': PEERS + OBSERVATIONS + EXCHANGES,
  'tandem_coap_sources{protocol="coap"}': SOURCES,
  'tandem_coap_observations{protocol="coap"}': OBSERVATIONS,
  'tandem_coap_running_exchanges{protocol="coap"}': EXCHANGES,
  'tandem_coap_deduplication_bytes{protocol="coap"}': WINDOW,
  'tandem_coap_upload_bytes{protocol="coap"}': BLOCKWISE,
  'tandem_coap_download_bytes{protocol="coap"}': BLOCKWISE,
};
