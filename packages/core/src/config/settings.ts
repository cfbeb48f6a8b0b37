import { SUBMIT_STRATEGIES, type SubmitStrategy } from '../rpc/submit-strategy';
import { MATERIALISER_MESSAGE_MAX } from '../telemetry/materialisable';
import { payloadLimits } from './payload-limits';
import { rateLimits } from './rate-limits';
import { keyPrefix, redisUrl } from './redis-address';
import {
  choice,
  flag,
  httpUrl,
  list,
  millis,
  optionalText,
  optionalWhole,
  paths,
  port,
  type Setting,
  text,
  whole,
} from './setting';
import { trustedProxies } from './trusted-proxies';

export const ROLES = ['http', 'coap', 'api'] as const;
export type Role = (typeof ROLES)[number];

/**
 * Every setting of Tandem: the one place that names it. `docs/reference/settings.md` is generated from here. Names that
 * ThingsBoard has are kept (contract 1.1, 1.9, 2.1).
 */
export const SETTINGS = {
  TANDEM_ROLES: list<Role>(ROLES, ROLES, 'Which parts this process runs; `api` carries the materialiser'),

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

  COAP_ENABLED: flag(true, 'Whether the role `coap` serves at all'),
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

  TB_TRANSPORT_SESSIONS_INACTIVITY_TIMEOUT: millis(600_000, 'How long a device keeps its position between two polls'),
  TB_TRANSPORT_SESSIONS_REPORT_TIMEOUT: millis(
    3_000,
    'How often a process reports which devices it heard of, and so how late `active` and `lastActivityTime` can be',
  ),
  TANDEM_ACTIVITY_MAX_DEVICES: whole(
    200_000,
    { min: 1 },
    'Devices whose activity a process notes between two reports; that of others counts with their next message',
  ),
  DEFAULT_INACTIVITY_TIMEOUT: whole(
    600,
    { min: 1, max: 1_000_000_000, unit: 's' },
    'A device is inactive when it has sent nothing for this long; its attribute `inactivityTimeout` (ms) goes before it',
  ),
  DEFAULT_STATE_CHECK_INTERVAL: whole(
    60,
    { min: 1, max: 86_400, unit: 's' },
    'How often the role `api` looks for devices that have become inactive',
  ),
  CLIENT_SIDE_RPC_TIMEOUT: millis(60_000, 'How long a device waits for the reply to its own command'),
  DEFAULT_SERVER_SIDE_RPC_TIMEOUT: millis(10_000, 'Life of a command whose sender names no time-out'),
  MIN_SERVER_SIDE_RPC_TIMEOUT: millis(5_000, 'The shortest life of a command'),
  ACTORS_RPC_MAX_RETRIES: whole(5, { min: 0 }, 'How often a persistent command is sent again at the most'),
  ACTORS_RPC_SUBMIT_STRATEGY_TYPE: choice<SubmitStrategy>(
    'BURST',
    SUBMIT_STRATEGIES,
    'Whether commands go to a device as they come, each after the one before has arrived, or after it has been answered; the same for all processes',
  ),
  ACTORS_RPC_RESPONSE_TIMEOUT_MS: millis(
    30_000,
    'How long the next command waits for the answer to one that has arrived, with SEQUENTIAL_ON_RESPONSE_FROM_DEVICE',
  ),
  TANDEM_FORMAT_MAX_BYTES: whole(
    1_048_576,
    { min: 1, unit: 'bytes' },
    'Longest body of a device that is not in JSON: CBOR, SenML, protobuf, codecs of your own; beyond it 413 / 4.13',
  ),
  TANDEM_MESSAGE_MAX_BYTES: whole(
    MATERIALISER_MESSAGE_MAX,
    { min: 1_024, max: MATERIALISER_MESSAGE_MAX, unit: 'bytes' },
    'What the telemetry or attributes of one message, a command or a reply may take as JSON text, in which a control character has six bytes; beyond it 413 / 4.13',
  ),
  TANDEM_PAYLOAD_CODECS: paths('JavaScript modules with payload codecs of your own; see the guide on customising'),

  TANDEM_RPC_WEBHOOK_URL: httpUrl('Answers commands of devices; see the guide on client-side RPC', {
    secret: true,
  }),
  TANDEM_RPC_MAX_PENDING: whole(1_000, { min: 1 }, 'Open commands of one device; further ones are refused with 429'),
  TANDEM_RPC_FINISHED_MAX: whole(
    1_000,
    { min: 1 },
    'Finished persistent commands kept for each device; the oldest make room',
  ),
  TANDEM_RPC_TTL: whole(
    2_592_000,
    { min: 60, max: 3_153_600_000, unit: 's' },
    'How long a persistent command is kept once it is finished',
  ),
  SQL_TTL_RPC_ENABLED: flag(true, 'Whether finished persistent commands are removed after TANDEM_RPC_TTL'),
  SQL_RPC_TTL_CHECKING_INTERVAL: millis(
    7_200_000,
    'How often finished persistent commands that are too old are looked for',
  ),
  TANDEM_RPC_MAX_WAITING: whole(10_000, { min: 1 }, 'Commands of devices that wait for the webhook at the same time'),

  TANDEM_FIRMWARE_MAX_BYTES: whole(
    536_870_912,
    { min: 1, unit: 'bytes' },
    'Largest package of firmware or software; beyond it 413',
  ),
  TANDEM_FIRMWARE_MAX_TENANT_BYTES: whole(
    4_294_967_296,
    { min: 1, unit: 'bytes' },
    'Most bytes of all packages of a tenant; beyond it an upload is refused with 400',
  ),
  TANDEM_FIRMWARE_MAX_UPLOADS: whole(
    8,
    { min: 1 },
    'Packages that are being uploaded to this process at the same time, half of them of one tenant; further ones get 429',
  ),
  TANDEM_FIRMWARE_MAX_DOWNLOADS: whole(
    256,
    { min: 1 },
    'Downloads of devices over HTTP at the same time, at most 8 of one device; further ones get 429',
  ),
  TANDEM_FIRMWARE_DOWNLOAD_IDLE: whole(
    120_000,
    { min: 1, max: 3_600_000, unit: 'ms' },
    'How long the system may take no bytes of such a download, its send buffer being full, before the connection is closed; it can be resumed with `Range`',
  ),
  TANDEM_FIRMWARE_CACHE_MAX: whole(
    100_000,
    { min: 1 },
    'Devices of which the process remembers the package they have to get, so that a block costs one read',
  ),
  TANDEM_FIRMWARE_ROLLOUT_STEP: whole(
    100,
    { min: 1, max: 1_000 },
    'Devices that are told of a package at the same time when it is assigned to their profile',
  ),
  TANDEM_FIRMWARE_ROLLOUT_PAUSE: whole(
    20,
    { min: 0, max: 3_600_000, unit: 'ms' },
    'Pause between two steps of such a rollout: with a longer one fewer devices download at the same time',
  ),

  JSON_TYPE_CAST_ENABLED: flag(true, 'Whether strings made of digits become numbers'),
  JSON_MAX_STRING_VALUE_LENGTH: whole(0, { min: 0, unit: 'characters' }, 'Longest string value; 0 = unlimited'),

  TANDEM_PROFILE_DATA_MAX_BYTES: whole(
    1_048_576,
    { min: 1_024, unit: 'bytes' },
    'Longest `profileData` of a device profile; a longer one gets 400',
  ),
  TANDEM_PROTO_SCHEMA_MAX_BYTES: whole(
    65_536,
    { min: 1, max: 1_048_576, unit: 'bytes' },
    'Longest protobuf schema of a device profile; one beyond this or the next three limits gets 400',
  ),
  TANDEM_PROTO_SCHEMA_MAX_TYPES: whole(100, { min: 1, max: 1_000 }, 'Most messages and enums of a protobuf schema'),
  TANDEM_PROTO_SCHEMA_MAX_FIELDS: whole(
    500,
    { min: 1, max: 2_000 },
    'Most fields and enum values of a protobuf schema, in all',
  ),
  TANDEM_PROTO_SCHEMA_MAX_NESTING: whole(
    16,
    { min: 1, max: 30 },
    'How deep messages of a protobuf schema may hold messages; the parts of its package count alike',
  ),

  SECURITY_CLAIM_ALLOW_CLAIMING_BY_DEFAULT: flag(
    true,
    'Whether a device may be claimed that has no SERVER attribute `claimingAllowed` = true',
  ),
  SECURITY_CLAIM_DURATION: whole(
    86_400_000,
    { min: 1, unit: 'ms' },
    'How long a device can be claimed that has not said how long',
  ),
  TANDEM_CLAIM_FAILURES: rateLimits(
    'Most claims of a user that name an unknown device or a wrong secret; beyond it 429',
    '20:60',
  ),

  TANDEM_PROVISION_MAX_BYTES: whole(
    65_536,
    { min: 1_024, max: 1_048_576, unit: 'bytes' },
    'The longest provisioning request, which anybody may send; beyond it 413 / 4.13',
  ),
  TANDEM_PROVISION_MAX_RUNNING: whole(
    100,
    { min: 1 },
    'Provisioning requests of this process under way at the same time; further ones get 429 / 4.29',
  ),
  TANDEM_PROVISION_MAX_FAILURES: whole(
    20,
    { min: 0 },
    'Provisioning requests from one address with an unknown key or a wrong secret, after which it gets 429 / 4.29; 0: no limit',
  ),
  TANDEM_PROVISION_LOCK_TIME: millis(
    60_000,
    'How long such an address gets 429 / 4.29, and for how long an unknown key counts',
  ),
  TANDEM_PROVISION_RATE: rateLimits(
    'Most devices that one profile lets in by ALLOW_CREATE_NEW_DEVICES; beyond it 429 / 4.29',
  ),
  TANDEM_PROVISION_SUBJECTS_MAX: whole(
    65_536,
    { min: 1 },
    'Addresses, as they stand on datagrams, whose unknown keys this process remembers',
  ),

  JWT_TOKEN_EXPIRATION_TIME: whole(9_000, { min: 1, unit: 's' }, 'Life of an access token of the server API'),
  JWT_REFRESH_TOKEN_EXPIRATION_TIME: whole(604_800, { min: 1, unit: 's' }, 'Life of a refresh token'),
  JWT_TOKEN_ISSUER: text('thingsboard.io', 'Claim `iss`'),

  TB_SERVER_WS_PING_TIMEOUT: millis(
    30_000,
    'A WebSocket of which nothing is heard for this long is cut; it is asked three times meanwhile',
  ),
  TB_SERVER_WS_AUTH_TIMEOUT_MS: millis(10_000, 'How long a WebSocket without a token in its URL may take to send one'),
  TB_SERVER_WS_DEFAULT_QUEUE_MESSAGES_PER_SESSION: whole(
    1_000,
    { min: 1, unit: 'messages' },
    'Updates that wait for a WebSocket client to read; with more it is closed',
  ),
  TANDEM_WS_SEND_BUFFER: whole(
    4_194_304,
    { min: 65_536, unit: 'bytes' },
    'Bytes that wait for a WebSocket client to read; with more it is closed',
  ),
  TANDEM_WS_MAX_MESSAGE: whole(32_768, { min: 1_024, unit: 'bytes' }, 'Longest message of a WebSocket client'),
  TANDEM_WS_MAX_SESSIONS: whole(10_000, { min: 1 }, 'WebSocket sessions of this process; further ones get 429'),
  TANDEM_WS_MAX_STRANGERS: whole(
    1_000,
    { min: 1 },
    'WebSocket sessions of this process whose token has not been checked yet; further ones get 429',
  ),
  TANDEM_WS_MAX_STRANGERS_PER_ADDRESS: whole(
    125,
    { min: 1 },
    'Those of them from one address, or one /64 network of IPv6; whoever has a good token in the URL gets in all the same',
  ),
  TANDEM_WS_MAX_SESSIONS_PER_TENANT: whole(5_000, { min: 1 }, 'WebSocket sessions of a tenant on this process'),
  TANDEM_WS_MAX_SESSIONS_PER_USER: whole(500, { min: 1 }, 'WebSocket sessions of a user on this process'),
  TANDEM_WS_MAX_SUBSCRIPTIONS: whole(100_000, { min: 1 }, 'Subscriptions of all WebSocket sessions of this process'),
  TANDEM_WS_MAX_SUBSCRIPTIONS_PER_SESSION: whole(1_000, { min: 1 }, 'Subscriptions of a WebSocket session'),
  TANDEM_WS_MAX_COMMANDS: whole(
    100,
    { min: 1 },
    'Commands of a WebSocket session in a second, ten times as many at once; with more it is closed',
  ),
  SECURITY_USER_TOKEN_ACCESS_ENABLED: flag(
    true,
    'Whether administrators may get tokens of the tenant administrators or customer users below them',
  ),
  SECURITY_USER_ACTIVATION_TOKEN_TTL: whole(
    86_400_000,
    { min: 60_000, unit: 'ms' },
    'How long the link works with which a new user sets the first password',
  ),
  TANDEM_PASSWORD_MIN_LENGTH: whole(6, { min: 1, max: 72, unit: 'characters' }, 'The shortest password a user may set'),
  TANDEM_LOGIN_MAX_FAILURES: whole(
    10,
    { min: 0 },
    'Wrong passwords in a row that lock an account, whether or not there is such an account; 0: no limit',
  ),
  TANDEM_LOGIN_LOCK_TIME: millis(900_000, 'How long an account is locked, and for how long a wrong password counts'),
  TANDEM_LOGIN_ADDRESS_MAX_FAILURES: whole(
    50,
    { min: 0 },
    'Wrong passwords from one address, whatever the accounts, after which its logins get 429; 0: no limit',
  ),
  TANDEM_LOGIN_ADDRESS_LOCK_TIME: millis(
    300_000,
    'How long logins from such an address get 429, and for how long a wrong password counts',
  ),
  TANDEM_LOGIN_SUBJECTS_MAX: whole(
    100_000,
    { min: 1 },
    'Accounts and addresses whose wrong passwords the embedded store remembers',
  ),
  TANDEM_PRINCIPALS_CACHE_MAX: whole(10_000, { min: 1 }, 'Accounts and API keys in the process cache'),
  TANDEM_TENANT_MAX_DEVICES: whole(
    0,
    { min: 0 },
    'Most devices of a tenant, however they are made: beyond it 400, and `FAILURE` to one that provisions itself; 0: no limit',
  ),
  TANDEM_IMPORT_MAX_ROWS: whole(100_000, { min: 1 }, 'Rows of one device list; of a longer one nothing is imported'),
  TANDEM_API_KEYS_MAX: whole(100, { min: 1, max: 1_000 }, 'API keys of one user'),
  TANDEM_SESSIONS_ENDED_MAX: whole(
    100,
    { min: 1, max: 1_000 },
    'Sessions of one user that are known to have been ended; with one more all sessions of the user end',
  ),

  TANDEM_DATA_DIR: text('./data', 'Folder of the embedded store; one process owns it'),
  TANDEM_DURABILITY: choice<'process' | 'power'>(
    'process',
    ['process', 'power'],
    'What an acknowledged write survives: the death of the process, or also of the machine',
  ),
  TANDEM_DATA_MIN_FREE_BYTES: whole(
    134_217_728,
    { min: 1, unit: 'bytes' },
    'Room that stays free on the disk of the data folder; with less nothing is written and writers get 503 / 5.03',
  ),
  TANDEM_TELEMETRY_BACKLOG_MAX: whole(
    2_000_000,
    { min: 1, unit: 'messages' },
    'Accepted messages that wait for the materialiser; beyond it devices get 503 / 5.03',
  ),
  DATABASE_TS_MAX_INTERVALS: whole(
    700,
    { min: 1 },
    'Intervals that one aggregating query of time series may ask for; beyond it 400',
  ),
  TS_KV_TTL: whole(
    0,
    { min: 0, max: 100_000_000_000, unit: 's' },
    'How old a point of the history may get, by its own time; latest values stay. 0 = for ever',
  ),
  TANDEM_HISTORY_MAX: optionalWhole(
    { min: 1, unit: 'points' },
    'History kept for each time series of a device; the oldest points go first. Unset: 10000 in Redis, all of it in the embedded store',
  ),
  TANDEM_RETENTION_INTERVAL: millis(
    600_000,
    'How often points are looked for that are too old, too many, or whose own time is over',
  ),
  TANDEM_TELEMETRY_KEYS_MAX: whole(
    10_000,
    { min: 1 },
    'Telemetry keys of one device in the view; values of further ones are in the log only',
  ),
  TANDEM_EVENT_LOG_MAX: whole(256, { min: 1, unit: 'events' }, 'Attribute events kept for each device'),
  TANDEM_CREDENTIALS_CACHE_MAX: whole(100_000, { min: 1 }, 'Credentials in the process cache'),
  TANDEM_PROFILES_CACHE_MAX: whole(10_000, { min: 1 }, 'Device profiles in the process cache of the server API'),
  TANDEM_PROFILE_FORMATS_CACHE_MAX: whole(
    10_000,
    { min: 1 },
    'Device profiles in the process cache of payload formats',
  ),
  TANDEM_PROTO_SCHEMAS_CACHE_MAX_BYTES: whole(
    16_777_216,
    { min: 1, unit: 'bytes' },
    'Sources of protobuf schemas in the process cache; with what is made of them they take some seven times as much memory',
  ),
  TANDEM_TOKENS_CACHE_MAX: whole(
    10_000,
    { min: 1 },
    'Tokens of the server API whose signature a process remembers to have checked',
  ),
  TANDEM_DEVICE_DIRECTORY_MAX: whole(
    1_000_000,
    { min: 0 },
    'Devices that a process keeps in memory once it is asked for a list of them, about 500 bytes each; of a store with more, every list reads all of them',
  ),

  TANDEM_ADMIN_EMAIL: text('tenant@thingsboard.org', 'Login of the first tenant administrator'),
  TANDEM_ADMIN_PASSWORD: optionalText(
    'Password of the first tenant administrator; generated into `<data dir>/initial-admin-password` when unset',
    { secret: true },
  ),
  TANDEM_SYSADMIN_EMAIL: text('sysadmin@thingsboard.org', 'Login of the system administrator, who makes tenants'),
  TANDEM_SYSADMIN_PASSWORD: optionalText('Password of the system administrator; none is made when unset', {
    secret: true,
  }),
  TANDEM_DEMO: flag(false, 'Makes the well-known test logins. Insecure: never where strangers can connect'),

  TANDEM_METRICS_ADDRESS: text('0.0.0.0', 'Address of /metrics, /livez and /readyz'),
  TANDEM_METRICS_PORT: port(9090, 'Port of /metrics, /livez and /readyz'),
  TANDEM_LOG_LEVEL: choice<'error' | 'warn' | 'info' | 'debug'>(
    'info',
    ['error', 'warn', 'info', 'debug'],
    'Least severe log lines that are written',
  ),

  REDIS_URL: redisUrl(
    'Shared store: `redis://` or `rediss://`, one address or a comma list; a Cluster is detected. Unset = embedded store',
    { secret: true },
  ),
  TANDEM_REDIS_PREFIX: keyPrefix('tandem', 'First part of every key in Redis: gateways of one prefix are one gateway'),
  TANDEM_REDIS_WAIT_REPLICAS: whole(
    0,
    { min: 0 },
    'Replicas of Redis that must have a write before it is acknowledged; 0 = the master is enough',
  ),
  TANDEM_REDIS_TIMEOUT: millis(5_000, 'How long Redis may take for a write or a read; then callers get 503 / 5.03'),
  TANDEM_REDIS_MAX_IN_FLIGHT_BYTES: whole(
    67_108_864,
    { min: 65_536, unit: 'bytes' },
    'Telemetry that this process holds until Redis has it; beyond it devices get 503 / 5.03',
  ),
  TANDEM_REDIS_REREAD_INTERVAL: millis(
    15_000,
    'Every waiter re-reads its device this often, whether or not Redis told of a change: wake-ups can get lost',
  ),
  TANDEM_REDIS_CHANGE_WAIT: millis(
    500,
    'How long a changed profile, device or token waits until every other process has heard of it, before it is answered; 0 = not at all',
  ),
  TANDEM_REDIS_RPC_CACHE_MAX: whole(100_000, { min: 1 }, 'Commands of which this process remembers the device'),
  TANDEM_TELEMETRY_PARTITIONS: whole(
    8,
    { min: 1, max: 256 },
    'Streams that telemetry is spread over in Redis; counts only for the first process on an empty store',
  ),
  TANDEM_CONSUMER_GROUP_TTL: millis(
    86_400_000,
    'A consumer group of another program that holds back the telemetry streams and has not read for this long is removed',
  ),
  COAP_DTLS_ENABLED: flag(false, 'CoAP over DTLS', { planned: true }),
  COAP_DTLS_BIND_PORT: port(5684, 'Port of CoAP over DTLS (UDP)', { planned: true }),
  SSL_ENABLED: flag(false, 'HTTPS instead of HTTP', { planned: true }),
  TANDEM_SECRET_KEY_FILE: optionalText('Key that encrypts credentials at rest', { planned: true }),
  TANDEM_TRUSTED_PROXIES: trustedProxies(
    'Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed; without it all logins, and all devices to be provisioned, through a proxy come from one address',
  ),
  TANDEM_RATE_LIMIT_TENANT_MSGS: rateLimits(
    'Most messages of all devices of a tenant that are no telemetry and no attributes; beyond it 429 / 4.29',
  ),
  TANDEM_RATE_LIMIT_TENANT_TELEMETRY_MSGS: rateLimits(
    'Most messages of all devices of a tenant that bring telemetry or attributes, also `{}`; beyond it 429 / 4.29',
  ),
  TANDEM_RATE_LIMIT_TENANT_TELEMETRY_DATA_POINTS: rateLimits(
    'Most key-value pairs in the telemetry and attributes of all devices of a tenant; beyond it 429 / 4.29',
  ),
  TANDEM_RATE_LIMIT_DEVICE_MSGS: rateLimits(
    'Most messages of one device that are no telemetry and no attributes; beyond it 429 / 4.29',
  ),
  TANDEM_RATE_LIMIT_DEVICE_TELEMETRY_MSGS: rateLimits(
    'Most messages of one device that bring telemetry or attributes, also `{}`; beyond it 429 / 4.29',
  ),
  TANDEM_RATE_LIMIT_DEVICE_TELEMETRY_DATA_POINTS: rateLimits(
    'Most key-value pairs in the telemetry and attributes of one device; beyond it 429 / 4.29',
  ),
  TANDEM_RATE_LIMIT_TIMEOUT: millis(
    500,
    'How long a message waits until Redis has counted it for its limits; then this process counts alone, for a second at least',
  ),
  TANDEM_RATE_LIMIT_BUCKETS_MAX: whole(
    100_000,
    { min: 1 },
    'Buckets of rate limits that this process keeps: with the embedded store, or while Redis does not answer',
  ),
} as const satisfies Record<string, Setting<unknown>>;

export type SettingName = keyof typeof SETTINGS;

/** The settings as read: numbers as numbers, unset optional ones undefined. */
export type Settings = { readonly [K in SettingName]: ReturnType<(typeof SETTINGS)[K]['parse']> };
