import {
  type ActivityTerms,
  booleanValue,
  type EpochMillis,
  type KeyValue,
  longValue,
  type Millis,
} from '@tandem/core';

/** What is known of one device; times are 0 where there was nothing yet. */
export interface ActivityState {
  active: boolean;
  /** Newest message. */
  last: EpochMillis;
  alarm: EpochMillis;
  /** A new device that has neither sent anything nor been found inactive. */
  born: EpochMillis;
  /** Holder of a session -> when it ends by itself. */
  sessions: Record<string, EpochMillis>;
}

const newState = (): ActivityState => ({ active: false, last: 0, alarm: 0, born: 0, sessions: {} });

/** The attributes that a change brings with it. */
export type Changes = KeyValue[];

const long = (key: string, value: number): KeyValue => ({ key, value: longValue(value) });
const active = (value: boolean): KeyValue => ({ key: 'active', value: booleanValue(value) });

export function begin(state: ActivityState, { now }: ActivityTerms): Changes {
  if (state.active || state.last > 0 || state.born > 0 || state.alarm > 0) return [];
  state.born = now;
  return [active(false)];
}

export function seen(state: ActivityState, at: EpochMillis): Changes {
  if (at <= state.last) return [];
  state.last = at;
  return [long('lastActivityTime', at), ...(state.active ? [] : activate(state))];
}

export function opened(
  state: ActivityState,
  holder: string,
  at: EpochMillis,
  until: EpochMillis,
  now: EpochMillis,
): Changes {
  const changes = lapse(state, now);
  if (Object.keys(state.sessions).length === 0) changes.push(long('lastConnectTime', at));
  state.sessions[holder] = Math.max(until, state.sessions[holder] ?? 0);
  return changes;
}

export function closed(state: ActivityState, holder: string, at: EpochMillis, now: EpochMillis): Changes {
  const changes = lapse(state, now);
  if (state.sessions[holder] === undefined) return changes;
  delete state.sessions[holder];
  return Object.keys(state.sessions).length === 0 ? [long('lastDisconnectTime', at)] : changes;
}

export function settle(state: ActivityState, timeout: Millis, now: EpochMillis): Changes {
  const changes = lapse(state, now);
  const silent = state.last === 0 || state.last + timeout <= now;
  if (state.active && silent) {
    state.active = false;
    state.alarm = now;
    changes.push(active(false), long('inactivityAlarmTime', now));
  } else if (!state.active && !silent) {
    changes.push(...activate(state));
  } else if (state.born > 0 && state.born + timeout <= now) {
    state.born = 0;
    state.alarm = now;
    changes.push(long('inactivityAlarmTime', now));
  }
  return changes;
}

/** When the device has to be looked at next; undefined when there is nothing to wait for. */
export function dueTime(state: ActivityState, timeout: Millis): EpochMillis | undefined {
  const times: EpochMillis[] = [];
  if (state.active) times.push(state.last + timeout);
  else if (state.born > 0) times.push(state.born + timeout);
  const ends = Object.values(state.sessions);
  if (ends.length > 0) times.push(Math.max(...ends));
  return times.length > 0 ? Math.min(...times) : undefined;
}

function activate(state: ActivityState): Changes {
  state.active = true;
  state.born = 0;
  const changes = [active(true)];
  // An alarm that what came since has proved wrong.
  if (state.alarm >= state.last && state.alarm > 0) {
    state.alarm = 0;
    changes.push(long('inactivityAlarmTime', 0));
  }
  return changes;
}

/** Lets go of sessions that nobody renewed. */
function lapse(state: ActivityState, now: EpochMillis): Changes {
  const ends = Object.values(state.sessions);
  if (ends.length === 0) return [];
  const last = Math.max(...ends);
  for (const [holder, until] of Object.entries(state.sessions)) if (until <= now) delete state.sessions[holder];
  return last <= now ? [long('lastDisconnectTime', last)] : [];
}

/** Longest timeout that counts, about 30,000 years: a time that far ahead is still exact. */
const MAX_TIMEOUT: Millis = 1e15;

/** @param text value of the attribute `inactivityTimeout`, where there is one */
export function timeoutOf(text: string | undefined, { defaultTimeout }: ActivityTerms): Millis {
  return text !== undefined && /^[1-9]\d*$/.test(text) ? Math.min(Number(text), MAX_TIMEOUT) : defaultTimeout;
}

/** A row of the store. `due` is the time at which the device is in the index; 0 = it is not. */
export interface ActivityRow {
  readonly state: ActivityState;
  readonly due: EpochMillis;
}

export const writeRow = ({ state, due }: ActivityRow): string => JSON.stringify([state, due]);

export function readRow(text: string | undefined): ActivityRow {
  if (text === undefined) return { state: newState(), due: 0 };
  const [state, due] = JSON.parse(text) as [ActivityState, EpochMillis];
  return { state, due };
}
