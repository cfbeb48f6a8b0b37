import { SUBMIT_STRATEGIES, type SubmitStrategy } from '../../rpc/submit-strategy';
import { choice, flag, httpUrl, millis, type Setting, whole } from '../setting';

/** Commands to devices and from them. */
export const RPC_SETTINGS = {
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
  TANDEM_RPC_MAX_WAITING_PER_DEVICE: whole(
    32,
    { min: 1 },
    'Those of one device, over HTTP and CoAP together; further ones get 429 / 4.29',
  ),
} as const satisfies Record<string, Setting<unknown>>;
