import { rateLimits } from '../rate-limits';
import { millis, type Setting, text, whole } from '../setting';

/** Tokens and WebSockets of the server API. */
export const SERVER_API_SETTINGS = {
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
  TANDEM_WAITERS_TIMEOUT: millis(
    500,
    'How long processes may take to tell which polls and observations they have; those that take longer are left out',
  ),
  TANDEM_WAITERS_RATE: rateLimits(
    'How often one user may ask for polls and observations; one time more gets 429',
    '20:10',
  ),
  TANDEM_WAITERS_MAX_QUESTIONS: whole(
    16,
    { min: 1 },
    'Questions for polls and observations that a process asks at the same time; further ones get 429. It answers as many at once, and further ones not at all',
  ),
} as const satisfies Record<string, Setting<unknown>>;
