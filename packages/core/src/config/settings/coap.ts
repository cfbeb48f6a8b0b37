import { choice, flag, millis, port, type Setting, text, whole } from '../setting';

/** The CoAP endpoint (contract 2.1). */
export const COAP_SETTINGS = {
  COAP_ENABLED: flag(
    true,
    'Whether the role `coap` serves plain CoAP; over DTLS it does with `COAP_DTLS_ENABLED` in any case',
  ),
  COAP_BIND_ADDRESS: text('0.0.0.0', 'Address of plain CoAP'),
  COAP_BIND_PORT: port(5683, 'Port of plain CoAP (UDP)'),
  COAP_TIMEOUT: millis(10_000, 'How long a command to a device may stay without its acknowledgement'),
  COAP_PIGGYBACK_TIMEOUT: millis(500, 'An answer that takes longer is sent separately, after an empty acknowledgement'),
  COAP_MAX_OBSERVATIONS: whole(
    50_000,
    { min: 1 },
    'Observations of this process; beyond it attributes get a plain answer and commands 5.03',
  ),
  TANDEM_COAP_MAX_OBSERVATIONS_PER_PEER: whole(
    1_000,
    { min: 1 },
    'Observations of one address and port, behind which several devices may be',
  ),
  TANDEM_COAP_ACK_TIMEOUT: whole(
    2_000,
    { min: 100, max: 60_000, unit: 'ms' },
    'ACK_TIMEOUT of RFC 7252: the first wait for an acknowledgement of ours, doubled with each repetition',
  ),
  TANDEM_COAP_MAX_RETRANSMIT: whole(
    4,
    { min: 0, max: 10 },
    'MAX_RETRANSMIT of RFC 7252: repetitions before a peer counts as gone',
  ),
  TANDEM_COAP_NON_BURST: whole(
    8,
    { min: 1, max: 1_000 },
    'Non-confirmable notifications in a row to one observer before a confirmable one asks whether it is still there',
  ),
  COAP_ECHO: choice(
    'off',
    ['off', 'on'],
    'Whether an address has to prove itself with an Echo option (RFC 9175) before it gets an answer of more than three times its request, notifications, or the reply to a command of its own',
  ),
  TANDEM_COAP_SOURCE_REPLIES: whole(
    100,
    { min: 0 },
    'Answers in a second to one source address for requests without valid credentials, ten times as many at once; further ones get silence. 0: no limit',
  ),
  TANDEM_COAP_SOURCE_DATAGRAMS: whole(
    0,
    { min: 0 },
    'Datagrams in a second read from one source address, whatever is in them; further ones are dropped. 0: no limit',
  ),
  TANDEM_COAP_MAX_SOURCES: whole(65_536, { min: 1 }, 'Source addresses whose limits are remembered'),
  TANDEM_COAP_MAX_LOOKUPS: whole(
    1_000,
    { min: 1 },
    'Credentials looked up in the store at the same time; further requests with unknown ones get 5.03',
  ),
  TANDEM_COAP_MAX_PEERS: whole(16_384, { min: 2 }, 'Addresses and ports remembered though nothing is under way'),
  TANDEM_COAP_DEDUPLICATION_BYTES: whole(
    16_777_216,
    { min: 65_536, unit: 'bytes' },
    'Memory for recognising duplicates',
  ),
  TANDEM_COAP_MAX_EXCHANGES: whole(20_000, { min: 1 }, 'Requests under way at the same time; further ones get 5.03'),
  TANDEM_COAP_MAX_EXCHANGES_PER_PEER: whole(
    256,
    { min: 1 },
    'Requests of one address and port under way at the same time; further ones get 5.03',
  ),
  TANDEM_COAP_MAX_QUEUED_PER_PEER: whole(
    32,
    { min: 1 },
    'Separate responses to one address and port that wait for an acknowledgement of the one before',
  ),
  TANDEM_COAP_MAX_UNACKNOWLEDGED: whole(
    8_192,
    { min: 1 },
    'Separate responses and final notifications that wait for an acknowledgement, in all; further final ones are sent once',
  ),
  TANDEM_COAP_BLOCKWISE_BYTES: whole(
    16_777_216,
    { min: 65_536, unit: 'bytes' },
    'Memory for unfinished block-wise transfers, once for those to us and once for those from us',
  ),
  TANDEM_COAP_BLOCKWISE_BYTES_PER_PEER: whole(
    524_288,
    { min: 4_096, unit: 'bytes' },
    'Memory for unfinished block-wise transfers of one device, and of one address and port, once each way; beyond it 5.03',
  ),
  TANDEM_COAP_STRANGER_BYTES: whole(
    1_048_576,
    { min: 65_536, unit: 'bytes' },
    'Memory for unfinished provisioning requests in blocks; beyond it the one that waits longest begins anew. One address gets a quarter; beyond it 5.03 to a first block, and 4.08 to a later one, which begins anew',
  ),
  TANDEM_COAP_MAX_BODY: whole(
    262_144,
    { min: 1_024, unit: 'bytes' },
    'The longest body that is put together from blocks; beyond it 4.13',
  ),
} as const satisfies Record<string, Setting<unknown>>;
