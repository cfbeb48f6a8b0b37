import { AGGREGATIONS, type Aggregation, type AttributeScope } from '@tandem/core';
import { isObject } from '../http/json-body';
import { parseUuid } from '../http/path';

/** `telemetry`: arrays by type, on `/api/ws/plugins/telemetry`; `typed`: one list, on `/api/ws` (server contract 10.2). */
export type Dialect = 'telemetry' | 'typed';

/** A part of the history; times are milliseconds. */
export interface HistoryRange {
  readonly startTs: number;
  /** Exclusive. */
  readonly endTs: number;
  /** Of an aggregated value; 0: none is reckoned. */
  readonly interval: number;
  readonly limit: number;
  /** Undefined for none. */
  readonly aggregation: Aggregation | undefined;
}

/** What is subscribed to. No keys: all. */
export type Wish =
  | {
      readonly kind: 'telemetry';
      readonly keys: readonly string[] | undefined;
      readonly onlyNewer: boolean;
      readonly history: HistoryRange | undefined;
    }
  | {
      readonly kind: 'attributes';
      readonly keys: readonly string[] | undefined;
      readonly scopes: readonly AttributeScope[];
    };

export type Command =
  | { readonly kind: 'subscribe'; readonly cmdId: number; readonly deviceId: string; readonly wish: Wish }
  /** @param of undefined: of whatever kind */
  | { readonly kind: 'unsubscribe'; readonly cmdId: number; readonly of: Wish['kind'] | undefined }
  | {
      readonly kind: 'history';
      readonly cmdId: number;
      readonly deviceId: string;
      readonly keys: readonly string[];
      readonly range: HistoryRange;
    }
  /** The command asks for something that cannot be. */
  | { readonly kind: 'refused'; readonly cmdId: number; readonly message: string };

export interface ClientMessage {
  /** Of `authCmd`. */
  readonly token: string | undefined;
  readonly commands: readonly Command[];
}

type Fields = Readonly<Record<string, unknown>>;
type Reader = (fields: Fields) => Command;

/** The message cannot be read. */
class Unreadable extends Error {}

const DEFAULT_LIMIT = 100;
const ALL_SCOPES: readonly AttributeScope[] = ['CLIENT', 'SERVER', 'SHARED'];

/** @returns undefined for what is not JSON, or has a member of another type than it must be */
export function readMessage(text: string, dialect: Dialect): ClientMessage | undefined {
  try {
    const message: unknown = JSON.parse(text);
    if (!isObject(message)) return undefined;
    return dialect === 'typed' ? typedMessage(message) : { token: undefined, commands: groups(message) };
  } catch {
    return undefined;
  }
}

function typedMessage({ authCmd, cmds }: Fields): ClientMessage {
  const token = isObject(authCmd) ? textOf(authCmd, 'token') : undefined;
  const commands = listOf(cmds).map((fields) => {
    const type = textOf(fields, 'type');
    const read = BY_TYPE[type];
    if (read) return read(fields);
    if (type.endsWith('_UNSUBSCRIBE')) return unsubscribe(fields, undefined);
    return refused(
      fields,
      type === '' ? 'Command type is empty!' : `Commands of type ${type.slice(0, 64)} are not available`,
    );
  });
  return { token, commands };
}

function groups(message: Fields): Command[] {
  return Object.entries(message).flatMap(([group, cmds]) => {
    const read = BY_GROUP[group];
    if (read) return listOf(cmds).map(read);
    // Groups for entities and alarms belong to the user interface of ThingsBoard.
    if (!/^\w{1,64}Cmds$/.test(group)) return [];
    return listOf(cmds).map((fields) => refused(fields, `Commands of ${group} are not available`));
  });
}

const BY_GROUP: Readonly<Record<string, Reader | undefined>> = Object.assign(Object.create(null), {
  tsSubCmds: telemetry,
  attrSubCmds: attributes,
  historyCmds: history,
});
const BY_TYPE: Readonly<Record<string, Reader | undefined>> = Object.assign(Object.create(null), {
  TIMESERIES: telemetry,
  ATTRIBUTES: attributes,
  TIMESERIES_HISTORY: history,
});

function telemetry(fields: Fields): Command {
  if (fields.unsubscribe === true) return unsubscribe(fields, 'telemetry');
  const scope = textOf(fields, 'scope');
  const keys = keysOf(fields);
  const [startTs, timeWindow] = [wholeOf(fields, 'startTs'), wholeOf(fields, 'timeWindow')];
  const range = rangeOf(fields, startTs, startTs + timeWindow);
  return of(fields, (cmdId, deviceId) => {
    if (timeWindow > 0 && typeof range === 'string') return { kind: 'refused', cmdId, message: range };
    // Without keys there is no saying of what the history is.
    const history = timeWindow > 0 && keys && typeof range === 'object' ? range : undefined;
    const wish = { kind: 'telemetry', keys, onlyNewer: scope === 'LATEST_TELEMETRY', history } as const;
    return { kind: 'subscribe', cmdId, deviceId, wish };
  });
}

function attributes(fields: Fields): Command {
  if (fields.unsubscribe === true) return unsubscribe(fields, 'attributes');
  const scope = textOf(fields, 'scope');
  const keys = keysOf(fields);
  const scopes =
    scope === '' || scope === 'ANY_SCOPE' ? ALL_SCOPES : ALL_SCOPES.filter((each) => `${each}_SCOPE` === scope);
  return of(fields, (cmdId, deviceId) => {
    if (scopes.length === 0) return { kind: 'refused', cmdId, message: `Invalid scope: ${scope.slice(0, 64)}` };
    return { kind: 'subscribe', cmdId, deviceId, wish: { kind: 'attributes', keys, scopes } };
  });
}

function history(fields: Fields): Command {
  const keys = keysOf(fields);
  const range = rangeOf(fields, wholeOf(fields, 'startTs'), wholeOf(fields, 'endTs'));
  return of(fields, (cmdId, deviceId) => {
    if (!keys) return { kind: 'refused', cmdId, message: 'Keys are empty!' };
    if (typeof range === 'string') return { kind: 'refused', cmdId, message: range };
    return { kind: 'history', cmdId, deviceId, keys, range };
  });
}

const unsubscribe = (fields: Fields, of: Wish['kind'] | undefined): Command => ({
  kind: 'unsubscribe',
  cmdId: wholeOf(fields, 'cmdId'),
  of,
});

const refused = (fields: Fields, message: string): Command => ({
  kind: 'refused',
  cmdId: wholeOf(fields, 'cmdId'),
  message,
});

/** What every command has. */
function of(fields: Fields, make: (cmdId: number, deviceId: string) => Command): Command {
  const cmdId = wholeOf(fields, 'cmdId');
  const entityType = textOf(fields, 'entityType');
  const entityId = textOf(fields, 'entityId');
  if (cmdId < 0) return { kind: 'refused', cmdId, message: 'Cmd id is negative value!' };
  if (entityId === '') return { kind: 'refused', cmdId, message: 'Device id is empty!' };
  const deviceId = parseUuid(entityId);
  if (deviceId === undefined) {
    return { kind: 'refused', cmdId, message: `Invalid UUID string: ${entityId.slice(0, 64)}` };
  }
  if (entityType !== '' && entityType !== 'DEVICE') {
    return { kind: 'refused', cmdId, message: `Entity type '${entityType.slice(0, 64)}' is not supported` };
  }
  return make(cmdId, deviceId);
}

/** Or what is wrong with it. */
function rangeOf(fields: Fields, startTs: number, endTs: number): HistoryRange | string {
  const [interval, limit] = [wholeOf(fields, 'interval'), wholeOf(fields, 'limit')];
  const word = textOf(fields, 'agg');
  const aggregation = AGGREGATIONS.find((each) => each === word);
  if (!aggregation && word !== '' && word !== 'NONE') return `Invalid aggregation: ${word.slice(0, 64)}`;
  if (interval < 0) return 'Interval is negative value!';
  if (limit < 0) return 'Limit is negative value!';
  return { startTs, endTs, interval, limit: limit === 0 ? DEFAULT_LIMIT : limit, aggregation };
}

function listOf(value: unknown): Fields[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every(isObject)) throw new Unreadable();
  return value;
}

/** '' where it is absent. */
function textOf(fields: Fields, name: string): string {
  const value = fields[name] ?? '';
  if (typeof value !== 'string') throw new Unreadable();
  return value;
}

/** 0 where it is absent. */
function wholeOf(fields: Fields, name: string): number {
  const value = fields[name] ?? 0;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new Unreadable();
  return value;
}

/** A comma list, each once; undefined where it is absent or empty. */
function keysOf(fields: Fields): readonly string[] | undefined {
  const text = textOf(fields, 'keys');
  return text === '' ? undefined : [...new Set(text.split(','))];
}
