import { choice, millis, optionalWhole, type Setting, text, whole } from '../setting';

/** The embedded store, and what both stores keep. */
export const STORE_SETTINGS = {
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
} as const satisfies Record<string, Setting<unknown>>;
