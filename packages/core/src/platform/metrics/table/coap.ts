import { counter, gauge } from '../row';
import { COAP_CODE } from './requests';

const labels = { protocol: ['coap', 'coaps'] } as const;

/** Of messages that are dropped or rejected. */
const DROPPED = {
  source_port_zero: 'nothing can be sent to port 0',
  source_nobody: 'from an address that nothing can be sent to',
  source_self: 'from our own address',
  source_datagrams: 'more than TANDEM_COAP_SOURCE_DATAGRAMS of one address',
  source_replies: 'more answers to strangers of one address than TANDEM_COAP_SOURCE_REPLIES',
  too_short: 'malformed',
  too_long: 'longer than a datagram may be',
  version: 'malformed',
  token_length: 'malformed',
  truncated: 'malformed',
  reserved_option_nibble: 'malformed',
  empty_payload: 'malformed',
  code_class: 'malformed',
  empty_with_content: 'malformed',
  stray_empty: 'an empty message that means nothing',
  stray_acknowledgement: 'nobody waits for it',
  stray_reset: 'nobody waits for it',
  unexpected_response: 'nobody has asked',
  bad_option_non_confirmable: 'a critical option that is not known, in a NON',
  duplicate_running: 'the first one is still being worked on',
  duplicate_non_confirmable: 'a NON that came twice',
  no_message_id: 'all message ids of the peer are in use',
  queue_full: 'too much waits for the peer: TANDEM_COAP_MAX_QUEUED_PER_PEER',
  peer_gone: 'the peer acknowledged nothing any more',
  block_malformed: 'a block that cannot be',
  block_incomplete: 'blocks before it are missing',
  body_too_large: 'larger than TANDEM_COAP_MAX_BODY',
  body_peer_budget: 'the peer has as much under way as TANDEM_COAP_BLOCKWISE_BYTES_PER_PEER',
  body_budget: 'all have as much under way as TANDEM_COAP_BLOCKWISE_BYTES',
  body_unread: 'a long notification was not fetched to its end',
  notification_too_long: 'a notification that no room was left for',
  closing: 'the gateway stops',
  amplification: 'the answer would have been too long for an address that is not proved',
  unproved: 'the address has to be proved first',
  observations: 'one too many: COAP_MAX_OBSERVATIONS, TANDEM_COAP_MAX_OBSERVATIONS_PER_PEER',
  exchanges: 'one too many: TANDEM_COAP_MAX_EXCHANGES',
  exchanges_of_peer: 'one too many: TANDEM_COAP_MAX_EXCHANGES_PER_PEER',
  too_many_requests: 'a notification was refused by a rate limit',
  store_unavailable: 'the store did not answer',
  backlog_full: 'TANDEM_TELEMETRY_BACKLOG_MAX',
} as const;

export const COAP_METRICS = {
  tandem_coap_datagrams_total: counter('coap', 'Datagrams received', { labels }),
  tandem_coap_received_requests_total: counter('coap', 'Requests received, without duplicates', { labels }),
  tandem_coap_duplicate_requests_total: counter('coap', 'Requests that had been received before', { labels }),
  tandem_coap_responses_total: counter('coap', 'Responses sent, also those that the endpoint gave by itself', {
    labels: { ...labels, code: COAP_CODE },
  }),
  tandem_coap_retransmissions_total: counter('coap', 'Confirmable messages of ours that were repeated', { labels }),
  tandem_coap_timeouts_total: counter('coap', 'Confirmable messages of ours that were never acknowledged', { labels }),
  tandem_coap_dropped_total: counter('coap', 'Messages dropped or rejected', {
    labels: { ...labels, reason: DROPPED },
  }),
  tandem_coap_observations: gauge('coap', 'Observe relations', { labels }),
  tandem_coap_running_exchanges: gauge('coap', 'Requests whose handler is running', { labels }),
  tandem_coap_unacknowledged: gauge('coap', 'Separate responses and final notifications that are unacknowledged', {
    labels,
  }),
  tandem_coap_deduplication_bytes: gauge('coap', 'Memory of the deduplication window', { labels }),
  tandem_coap_upload_bytes: gauge('coap', 'Memory of Block1 bodies until they are worked off', { labels }),
  tandem_coap_stranger_upload_bytes: gauge(
    'coap',
    'Memory of Block1 bodies without credentials until they are worked off',
    {
      labels,
    },
  ),
  tandem_coap_download_bytes: gauge('coap', 'Memory of bodies kept for Block2', { labels }),
  tandem_coap_peers: gauge('coap', 'Peers remembered', { labels }),
  tandem_coap_sources: gauge('coap', 'Source addresses whose limits are remembered', { labels }),
  tandem_coap_lookups: gauge('coap', 'Credentials being looked up in the store'),
  tandem_coap_lookup_peers: gauge('coap', 'Addresses and ports for which credentials are being looked up'),
  tandem_coap_lookups_refused_total: counter(
    'coap',
    'Messages dropped or rejected: too many credentials being looked up',
    {
      labels: { bound: { all: 'TANDEM_COAP_MAX_LOOKUPS', peer: '32 of one peer' } },
    },
  ),
  tandem_coap_provisioned_peers: gauge('coap', 'Peers that may fetch the rest of what provisioning answered'),
};
