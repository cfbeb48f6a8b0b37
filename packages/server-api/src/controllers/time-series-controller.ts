import type { Core, TelemetryPoint, TimeSeries, Uuid } from '@tandem/core';
import { accessRequestedDevice } from '../access/device-access';
import { listOf, TEXT } from '../json/schema';
import { pointJson, pointsJson, TIME_SERIES_ANSWER, type ValueForm } from '../json/time-series-json';
import { jsonAnswer } from '../routing/answer';
import { withPlainRefusals } from '../routing/plain-refusals';
import { json, jsonText, type Reply } from '../routing/reply';
import { type ApiRequest, type Route, TENANT_AND_CUSTOMER } from '../routing/route';
import { type HistoryParameters, historyParameters, intervalsOf, VALUES } from './history-parameters';
import { deviceParameter } from './telemetry-parameters';

const ENTITY = '/api/plugins/telemetry/{entityType}/{entityId}';

/** Server contract 5.1, the rows about time series. */
export function timeSeriesRoutes({ timeSeries, devices, clock }: Core): Route[] {
  const keys = ({ caller, params }: ApiRequest): Promise<Reply> => {
    const deviceId = deviceParameter(params);
    return withPlainRefusals(async () => {
      await accessRequestedDevice(devices, caller, deviceId);
      return json(await timeSeries.keys(deviceId));
    });
  };

  const values = ({ caller, params, query, signal }: ApiRequest): Promise<Reply> => {
    const deviceId = deviceParameter(params);
    const form: ValueForm = query.flag('useStrictDataTypes') ? 'typed' : 'strings';
    const wanted = query.list('keys', 'key');
    const asked = historyParameters(query);
    return withPlainRefusals(async () => {
      await accessRequestedDevice(devices, caller, deviceId);
      if (!asked) return jsonText(await latest(deviceId, wanted, form));
      return jsonText(historyText(asked.keys, historyOf(timeSeries, deviceId, asked, signal), form));
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

  const guard = { authorities: TENANT_AND_CUSTOMER, refusal: 'text', publicToo: true } as const;
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

type HistoryOfKey = (key: string) => AsyncIterable<readonly TelemetryPoint[]>;

/** @throws TandemError BAD_REQUEST for intervals that cannot be */
function historyOf(
  timeSeries: TimeSeries,
  deviceId: Uuid,
  { history, aggregation }: HistoryParameters,
  signal: AbortSignal,
): HistoryOfKey {
  if (!aggregation) return (key) => timeSeries.historyPieces(deviceId, key, history);
  const intervals = intervalsOf(history, aggregation);
  timeSeries.checkIntervals(intervals);
  const query = { aggregation: aggregation.aggregation, intervals };
  return (key) => timeSeries.aggregates(deviceId, key, query, signal);
}

/** In pieces, as a range can be longer than what fits the memory. A key without a point is left out. */
async function* historyText(
  keys: readonly string[],
  historyOfKey: HistoryOfKey,
  form: ValueForm,
): AsyncGenerator<string> {
  let keySeparator = '{';
  for (const key of keys) {
    let begun = false;
    for await (const points of historyOfKey(key)) {
      yield `${begun ? ',' : `${keySeparator}${JSON.stringify(key)}:[`}${pointsJson(points, form)}`;
      begun = true;
      keySeparator = ',';
    }
    if (begun) yield ']';
  }
  yield keySeparator === '{' ? '{}' : '}';
}
