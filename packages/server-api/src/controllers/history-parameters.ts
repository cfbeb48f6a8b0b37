import {
  AGGREGATIONS,
  type Aggregation,
  CALENDAR_INTERVALS,
  type CalendarInterval,
  calendarIntervals,
  fixedIntervals,
  type HistoryQuery,
  type Intervals,
  type Millis,
  TandemError,
  TimeZone,
} from '@tandem/core';
import type { Query } from '../http/query';
import {
  choiceParameter,
  flagParameter,
  listParameters,
  longParameter,
  type QueryParameter,
  textParameter,
} from '../routing/query-parameters';

const AGGREGATION_WORDS = ['NONE', ...AGGREGATIONS] as const;
const INTERVAL_TYPES = ['MILLISECONDS', ...CALENDAR_INTERVALS] as const;
const DEFAULT_LIMIT = 100;
const LIMITS = { min: 1, max: 2_147_483_647 };

/** Of the call that reads latest values and history. */
export const VALUES: readonly QueryParameter[] = [
  ...listParameters('keys', 'key'),
  flagParameter('useStrictDataTypes', 'Values as they are instead of as strings'),
  longParameter('startTs', 'Inclusive'),
  longParameter('endTs', 'Exclusive'),
  choiceParameter('agg', AGGREGATION_WORDS, 'What becomes of the values of an interval; NONE by default'),
  longParameter('interval', 'Length of an interval in milliseconds; 0, the default, switches aggregation off'),
  choiceParameter('intervalType', INTERVAL_TYPES, 'MILLISECONDS by default: as long as interval says'),
  textParameter('timeZone', 'Of the calendar: IANA name or offset; UTC by default'),
  longParameter('limit', `Points at the most, ${DEFAULT_LIMIT} by default; for agg=NONE`),
  choiceParameter('orderBy', ['ASC', 'DESC'], 'DESC by default; for agg=NONE, intervals ascend'),
];

export interface HistoryParameters {
  readonly keys: readonly string[];
  readonly history: HistoryQuery;
  /** Undefined where points are asked for as they are. */
  readonly aggregation: AggregationParameters | undefined;
}

export interface AggregationParameters {
  readonly aggregation: Aggregation;
  readonly length: Millis;
  readonly calendar: { readonly type: CalendarInterval; readonly zone: TimeZone } | undefined;
}

/**
 * The same path is a call for latest values unless keys and both ends of a range are given (server contract 5.1).
 * @throws TandemError BAD_REQUEST
 */
export function historyParameters(query: Query): HistoryParameters | undefined {
  if (!(query.has('keys') || query.has('key')) || !query.has('startTs') || !query.has('endTs')) return undefined;
  const keys = query.list('keys', 'key');
  if (keys.length === 0) throw refused("Parameter 'keys' can't be empty!");
  return {
    keys,
    aggregation: aggregationParameters(query),
    history: {
      startTs: query.long('startTs'),
      endTs: query.long('endTs'),
      limit: query.whole('limit', LIMITS, DEFAULT_LIMIT),
      order: query.choice('orderBy', ['ASC', 'DESC'], 'DESC'),
    },
  };
}

/** @throws TandemError BAD_REQUEST for a length of no use, or a range beyond the calendar */
export function intervalsOf({ startTs, endTs }: HistoryQuery, { length, calendar }: AggregationParameters): Intervals {
  const range = { start: startTs, end: endTs };
  if (calendar) return calendarIntervals(range, calendar.type, calendar.zone);
  if (length < 1) throw refused("'interval' must be at least 1 ms");
  return fixedIntervals(range, length);
}

function aggregationParameters(query: Query): AggregationParameters | undefined {
  const aggregation = query.choice('agg', AGGREGATION_WORDS, 'NONE');
  const type = query.choice('intervalType', INTERVAL_TYPES, 'MILLISECONDS');
  const length = query.text('interval') === undefined ? 0 : query.long('interval');
  const zone = zoneParameter(query);
  if (aggregation === 'NONE') return undefined;
  if (type !== 'MILLISECONDS') return { aggregation, length, calendar: { type, zone } };
  // An interval of no milliseconds switches aggregation off, whatever `agg` says.
  return length === 0 ? undefined : { aggregation, length, calendar: undefined };
}

function zoneParameter(query: Query): TimeZone {
  const name = query.text('timeZone');
  const zone = name === undefined ? TimeZone.UTC : TimeZone.of(name);
  if (zone) return zone;
  throw refused("Parameter 'timeZone' must be the name of a time zone, such as Europe/Berlin, or an offset");
}

const refused = (message: string) => new TandemError('BAD_REQUEST', { message });
