import { type Core, type HistoryQuery, TandemError, type TimeSeries, type Uuid } from '@tandem/core';
import { accessRequestedDevice } from '../access/device-access';
import type { Query } from '../http/query';
import { listOf, TEXT } from '../json/schema';
import { pointJson, pointsJson, TIME_SERIES_ANSWER, type ValueForm } from '../json/time-series-json';
import { jsonAnswer } from '../routing/answer';
import { withPlainRefusals } from '../routing/plain-refusals';
import {
  choiceParameter,
  flagParameter,
  listParameters,
  longParameter,
  type QueryParameter,
} from '../routing/query-parameters';
import { json, jsonText, type Reply } from '../routing/reply';
import { type ApiRequest, type Route, TENANT_AND_CUSTOMER } from '../routing/route';
import { deviceParameter } from './telemetry-parameters';

const ENTITY = '/api/plugins/telemetry/{entityType}/{entityId}';

const AGGREGATIONS = ['NONE', 'MIN', 'MAX', 'AVG', 'SUM', 'COUNT'] as const;
const INTERVAL_TYPES = ['MILLISECONDS', 'WEEK', 'WEEK_ISO', 'MONTH', 'QUARTER'] as const;
const DEFAULT_LIMIT = 100;
const LIMITS = { min: 1, max: 2_147_483_647 };

const VALUES: readonly QueryParameter[] = [
  ...listParameters('keys', 'key'),
  flagParameter('useStrictDataTypes', 'Values as they are instead of as strings'),
  longParameter('startTs', 'Inclusive'),
  longParameter('endTs', 'Exclusive'),
  choiceParameter('agg', AGGREGATIONS),
  longParameter('interval', 'Length of a bucket in milliseconds'),
  choiceParameter('intervalType', INTERVAL_TYPES),
  longParameter('limit', `Points at the most, ${DEFAULT_LIMIT} by default; for agg=NONE`),
  choiceParameter('orderBy', ['ASC', 'DESC']),
];

/** Server contract 5.1, the rows about time series. */
export function timeSeriesRoutes({ timeSeries, devices, clock }: Core): Route[] {
  const keys = ({ caller, params }: ApiRequest): Promise<Reply> => {
    const deviceId = deviceParameter(params);
    return withPlainRefusals(async () => {
      await accessRequestedDevice(devices, caller, deviceId);
      return json(await timeSeries.keys(deviceId));
    });
  };

  const values = ({ caller, params, query }: ApiRequest): Promise<Reply> => {
    const deviceId = deviceParameter(params);
    const form: ValueForm = query.flag('useStrictDataTypes') ? 'typed' : 'strings';
    const wanted = query.list('keys', 'key');
    const asked = isHistory(query) ? historyParameters(query, wanted) : undefined;
    return withPlainRefusals(async () => {
      await accessRequestedDevice(devices, caller, deviceId);
      if (asked?.aggregated) {
        throw new TandemError('BAD_REQUEST', { message: 'Aggregation is not available in this version' });
      }
      if (asked) return jsonText(historyText(timeSeries, deviceId, wanted, asked.history, form));
      return jsonText(await latest(deviceId, wanted, form));
    });
  };

  /** A key that was asked for and has no data is there with null. */
  const latest = async (deviceId: Uuid, wanted: readonly string[], form: ValueForm): Promise<string> => {
    const found = await timeSeries.latest(deviceId, wanted.length > 0 ? wanted : undefined);
    const now = clock.now();
    const members = (wanted.length > 0 ? wanted : [...found.keys()]).map((key) => {
      const point = found.get(key);
      return `${JSON.stringify(key)}:[${pointJson(point?.ts ?? now, point?.value, form)}]`;
    });
    return `{${members.join(',')}}`;
  };

  const guard = { authorities: TENANT_AND_CUSTOMER, refusal: 'text' } as const;
  return [
    {
      method: 'GET',
      path: `${ENTITY}/keys/timeseries`,
      summary: 'Keys of the time series',
      ...guard,
      answer: jsonAnswer(listOf(TEXT)),
      handle: keys,
    },
    {
      method: 'GET',
      path: `${ENTITY}/values/timeseries`,
      summary: 'Latest values, or with keys, startTs and endTs the history',
      ...guard,
      query: VALUES,
      answer: jsonAnswer(TIME_SERIES_ANSWER),
      handle: values,
    },
  ];
}

/** The same path is a call for latest values unless all three are given. */
const isHistory = (query: Query): boolean =>
  (query.has('keys') || query.has('key')) && query.has('startTs') && query.has('endTs');

/** @throws TandemError BAD_REQUEST */
function historyParameters(query: Query, keys: readonly string[]): { history: HistoryQuery; aggregated: boolean } {
  if (keys.length === 0) throw new TandemError('BAD_REQUEST', { message: "Parameter 'keys' can't be empty!" });
  const interval = query.whole('interval', { min: 0, max: Number.MAX_SAFE_INTEGER }, 0);
  const intervalType = query.choice('intervalType', INTERVAL_TYPES, 'MILLISECONDS');
  const aggregation = query.choice('agg', AGGREGATIONS, 'NONE');
  return {
    // An interval of no milliseconds turns aggregation off, whatever `agg` says.
    aggregated: aggregation !== 'NONE' && !(intervalType === 'MILLISECONDS' && interval === 0),
    history: {
      startTs: query.long('startTs'),
      endTs: query.long('endTs'),
      limit: query.whole('limit', LIMITS, DEFAULT_LIMIT),
      order: query.choice('orderBy', ['ASC', 'DESC'], 'DESC'),
    },
  };
}

/** In pieces, as a range can be longer than what fits the memory. A key without a point is left out. */
async function* historyText(
  timeSeries: TimeSeries,
  deviceId: Uuid,
  keys: readonly string[],
  query: HistoryQuery,
  form: ValueForm,
): AsyncGenerator<string> {
  let keySeparator = '{';
  for (const key of keys) {
    let begun = false;
    for await (const points of timeSeries.historyPieces(deviceId, key, query)) {
      yield `${begun ? ',' : `${keySeparator}${JSON.stringify(key)}:[`}${pointsJson(points, form)}`;
      begun = true;
      keySeparator = ',';
    }
    if (begun) yield ']';
  }
  yield keySeparator === '{' ? '{}' : '}';
}
