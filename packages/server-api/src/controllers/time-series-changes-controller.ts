import { type Core, type Deletion, parseServerTelemetry, TandemError } from '@tandem/core';
import { accessRequestedDevice } from '../access/device-access';
import { looseReader } from '../http/body-reader';
import type { Query } from '../http/query';
import { TIME_SERIES_BODY } from '../json/time-series-json';
import { EMPTY } from '../routing/answer';
import { withPlainRefusals } from '../routing/plain-refusals';
import { flagParameter, listParameters, longParameter, type QueryParameter } from '../routing/query-parameters';
import { empty, type Reply } from '../routing/reply';
import { type ApiRequest, type Route, TENANT_AND_CUSTOMER } from '../routing/route';
import { deviceParameter, ttlParameter } from './telemetry-parameters';

const ENTITY = '/api/plugins/telemetry/{entityType}/{entityId}';

const DELETION: readonly QueryParameter[] = [
  ...listParameters('keys', 'key'),
  flagParameter('deleteAllDataForKeys', 'Whatever its time: startTs and endTs are not looked at'),
  longParameter('startTs', 'Inclusive'),
  longParameter('endTs', 'Exclusive'),
  {
    name: 'deleteLatest',
    schema: { type: 'boolean', default: true },
    description: 'Also the latest value, if its time is in the range',
  },
  flagParameter('rewriteLatestIfDeleted', 'The newest value before the range becomes the latest one'),
];

/** Server contract 5.3. */
export function timeSeriesChangesRoutes({ telemetry, timeSeries, devices, clock, settings }: Core): Route[] {
  const payload = {
    typeCast: settings.JSON_TYPE_CAST_ENABLED,
    maxStringLength: settings.JSON_MAX_STRING_VALUE_LENGTH,
  };
  const readSeries = looseReader(TIME_SERIES_BODY, (bytes) => parseServerTelemetry(bytes, clock.now(), payload));

  const save = ({ caller, params, body, signal }: ApiRequest): Promise<Reply> => {
    const deviceId = deviceParameter(params);
    const keep = ttlParameter(params);
    return withPlainRefusals(async () => {
      await accessRequestedDevice(devices, caller, deviceId);
      const { lines } = await body(readSeries);
      await telemetry.saveFromServer(deviceId, lines, keep);
      await timeSeries.shown(deviceId, signal);
      return empty();
    });
  };

  const remove = ({ caller, params, query }: ApiRequest): Promise<Reply> => {
    const deviceId = deviceParameter(params);
    if (!query.has('keys') && !query.has('key')) query.requiredText('keys');
    const keys = query.list('keys', 'key');
    const deletion = deletionParameters(query);
    return withPlainRefusals(async () => {
      if (keys.length === 0) throw refused(`Empty keys: ${query.text('keys') ?? ''}`);
      if (!deletion) throw refused("'startTs' and 'endTs' are required unless 'deleteAllDataForKeys' is true");
      await accessRequestedDevice(devices, caller, deviceId);
      await timeSeries.delete(deviceId, keys, deletion);
      return empty();
    });
  };

  const guard = { authorities: TENANT_AND_CUSTOMER, refusal: 'text' } as const;
  const saving = { ...guard, method: 'POST', body: readSeries, answer: EMPTY, handle: save } as const;
  return [
    { ...saving, path: `${ENTITY}/timeseries/{scope}`, summary: 'Save values of time series' },
    {
      ...saving,
      path: `${ENTITY}/timeseries/{scope}/{ttl}`,
      summary: 'Save values that leave the history after some seconds; 0 for those that stay',
    },
    {
      ...guard,
      method: 'DELETE',
      path: `${ENTITY}/timeseries/delete`,
      summary: 'Delete values of time series',
      query: DELETION,
      answer: EMPTY,
      handle: remove,
    },
  ];
}

/** Undefined where an end of the range is missing. */
function deletionParameters(query: Query): Deletion | undefined {
  const remove = query.text('deleteLatest') === undefined || query.flag('deleteLatest');
  const rewrite = query.flag('rewriteLatestIfDeleted');
  const latest = !remove ? 'keep' : rewrite ? 'rewrite' : 'remove';
  if (query.flag('deleteAllDataForKeys')) {
    return { startTs: Number.MIN_SAFE_INTEGER, endTs: Number.MAX_SAFE_INTEGER + 1, latest };
  }
  if (query.text('startTs') === undefined || query.text('endTs') === undefined) return undefined;
  return { startTs: query.long('startTs'), endTs: query.long('endTs'), latest };
}

const refused = (message: string) => new TandemError('BAD_REQUEST', { message });
