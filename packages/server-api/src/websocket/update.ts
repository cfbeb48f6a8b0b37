import { type LiveEntry, quote, valueToText } from '@tandem/core';

/** Server contract 10.3. */
export const ERROR_CODE = { INTERNAL: 1, BAD_REQUEST: 2, UNAUTHORIZED: 3 } as const;
export type UpdateError = (typeof ERROR_CODE)[keyof typeof ERROR_CODE];

/** Values are strings, also numbers; an attribute that was deleted is the empty one of time 0, as in ThingsBoard. */
export function updateText(cmdId: number, entries: readonly LiveEntry[]): string {
  const pairs = new Map<string, string>();
  const latest = new Map<string, number>();
  for (const { key, ts, value } of entries) {
    const pair = `[${ts},${value === undefined ? '""' : quote(valueToText(value))}]`;
    const before = pairs.get(key);
    pairs.set(key, before === undefined ? pair : `${before},${pair}`);
    latest.set(key, Math.max(ts, latest.get(key) ?? ts));
  }
  const data = Array.from(pairs, ([key, texts]) => `${quote(key)}:[${texts}]`);
  const latestValues = Array.from(latest, ([key, ts]) => `${quote(key)}:${ts}`);
  return update(cmdId, `"errorCode":0,"errorMsg":null,"data":{${data.join(',')}}`, latestValues.join(','));
}

export const errorText = (cmdId: number, code: UpdateError, message: string): string =>
  update(cmdId, `"errorCode":${code},"errorMsg":${JSON.stringify(message)},"data":null`, '');

const update = (cmdId: number, members: string, latestValues: string): string =>
  `{"subscriptionId":${cmdId},${members},"latestValues":{${latestValues}}}`;
