import { type TelemetryPoint, type Value, valueToText } from '@tandem/core';
import { ANY, EPOCH_MILLIS, exactly, listOf, mapOf } from './schema';

export const TIME_SERIES_ANSWER = mapOf(listOf(exactly('Point', { ts: EPOCH_MILLIS, value: ANY })));

const VALUES_BODY = { type: 'object', additionalProperties: ANY };
const RECORD_BODY = { anyOf: [exactly('TimeSeriesRecord', { ts: EPOCH_MILLIS, values: VALUES_BODY }), VALUES_BODY] };

/** `{"key":value}`, `{"ts":n,"values":{"key":value}}`, or several of these (server contract 5.3). */
export const TIME_SERIES_BODY = { anyOf: [RECORD_BODY, listOf(RECORD_BODY)] };

/** `strings` unless the caller asked for `useStrictDataTypes` (server contract 5.1). */
export type ValueForm = 'strings' | 'typed';

/** @param value undefined where there is no data */
export function pointJson(ts: number, value: Value | undefined, form: ValueForm): string {
  return `{"ts":${ts},"value":${value === undefined ? 'null' : valueJson(value, form)}}`;
}

export const pointsJson = (points: readonly TelemetryPoint[], form: ValueForm): string =>
  points.map(({ ts, value }) => pointJson(ts, value, form)).join(',');

const valueJson = (value: Value, form: ValueForm): string =>
  form === 'typed' ? value : JSON.stringify(valueToText(value));
