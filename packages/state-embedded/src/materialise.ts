import { type EpochMillis, MATERIALISER_MESSAGE_MAX, pointLine, type Uuid } from '@tandem/core';
import { entryDevice, entryExpiry, entryLines, entryRecords, splitEntries } from './entry-codec';
import type { Environment, ViewEnvironment } from './environment';
import { bucketOf, rowKey } from './history-rows';
import { nameBytes, prefixRange, uuidBytes } from './keys';
import type { LogEnvironment } from './log-environment';
import { expiringKey, seriesPrefix, timeOf } from './series-history';
import { consumedSequence } from './telemetry-log';

export interface Environments {
  readonly env: Environment;
  readonly log: LogEnvironment;
  readonly view: ViewEnvironment;
}

/** Bounds of one step. Rows bound the pages a transaction holds in memory, characters and bytes the texts. */
export interface StepLimits {
  readonly entries: number;
  readonly rows: number;
  /** After the entry that reaches them no more are taken. */
  readonly characters: number;
  /** Of one entry: a larger one is passed over, and never becomes a text. */
  readonly entryBytes: number;
}

/** Beside the message: its device and when its points leave the history. */
const ENTRY_OVERHEAD = 1_024;

export const STEP_LIMITS: StepLimits = {
  entries: 20_000,
  rows: 4_000,
  characters: 8_000_000,
  entryBytes: MATERIALISER_MESSAGE_MAX + ENTRY_OVERHEAD,
};

/** An entry that the view cannot take. */
export interface TooLarge {
  readonly deviceId: Uuid;
  readonly bytes: number;
}

/** A message of a watched device, as it stood in the log. */
export interface ToldEntry {
  readonly deviceId: Uuid;
  readonly lines: string;
}

/** Who watches devices, and is told what of theirs a step has put into the view. */
export interface Watching {
  readonly devices: ReadonlySet<Uuid>;
  told(entries: readonly ToldEntry[]): void;
}

const NOBODY: Watching = { devices: new Set(), told: () => {} };

export interface StepResult {
  /** Entries. */
  readonly moved: number;
  /** Whether the step ended because of a limit, so that the log probably has more. */
  readonly more: boolean;
  /** Values that are not in the view because their devices have as many keys as they may. */
  readonly refused: ReadonlyMap<Uuid, number>;
  /** Entries that are not in the view because of their size. */
  readonly tooLarge: readonly TooLarge[];
}

const NOTHING: StepResult = { moved: 0, more: false, refused: new Map(), tooLarge: [] };

/** Log rows that one transaction removes: an append waits for it. */
const TRIM_BATCH = 500;

/**
 * One step of the materialiser: puts what the log has after the last step into the view, in one transaction of the view that
 * also notes how far it came; only then the log lets go of it. Whenever the process dies, the next step goes on from the note,
 * so each entry gets into the view once.
 * @param keysMax telemetry keys of one device that the view takes
 */
export function materialise(
  { env, log, view }: Environments,
  keysMax: number,
  limits: StepLimits = STEP_LIMITS,
  watching: Watching = NOBODY,
): StepResult {
  env.root.resetReadTxn();
  log.root.resetReadTxn();
  const told: ToldEntry[] = [];
  const moved = view.root.transactionSync(() => {
    const step = new ViewStep(env, view, keysMax, limits);
    let last: number | undefined;
    for (const key of log.telemetryLog.getKeys({ start: consumedSequence(view) + 1 })) {
      const row = log.telemetryLog.getBinary(key);
      if (row && row.length > limits.entryBytes) step.passOver(row);
      else {
        for (const entry of splitEntries(row?.toString('utf8') ?? '')) {
          if (step.take(entry) && watching.devices.has(entryDevice(entry))) {
            told.push({ deviceId: entryDevice(entry), lines: entryLines(entry) });
          }
        }
      }
      last = key;
      if (step.full) break;
    }
    if (last === undefined) return NOTHING;
    step.write(last);
    view.meta.put('consumed', String(last));
    const { entries, full, refused, tooLarge } = step;
    return { moved: entries, more: full, refused, tooLarge };
  });
  // Before anything else can fail: what is in the view is told.
  if (told.length > 0) watching.told(told);
  trim(log, consumedSequence(view));
  return moved;
}

/** Lets go of the log up to and with `consumed`. */
function trim(log: LogEnvironment, consumed: number): void {
  for (;;) {
    const keys = [...log.telemetryLog.getKeys({ end: consumed + 1, limit: TRIM_BATCH })];
    if (keys.length === 0) return;
    log.root.transactionSync(() => {
      for (const key of keys) log.telemetryLog.remove(key);
    });
    log.root.resetReadTxn();
    if (keys.length < TRIM_BATCH) return;
  }
}

interface Series {
  readonly latestKey: Buffer;
  readonly historyPrefix: Buffer;
  /** Timestamp of the latest value that is stored. */
  readonly storedTs: number;
  newest: { readonly ts: number; readonly line: string } | undefined;
  /** Lines by bucket. */
  readonly rows: Map<number, string>;
  /** When points leave the history, by their time; undefined for one that stays from now on. Made when there are any. */
  expiries: Map<EpochMillis, EpochMillis | undefined> | undefined;
}

interface Device {
  readonly id: Buffer;
  readonly series: Map<string, Series>;
  /** Whether it has, or gets, points with a time of their own. */
  expiring: boolean;
  /** Keys with a latest value; undefined until a new one comes. */
  keys: number | undefined;
}

/** What one step gathers before it writes: each series' points by bucket, and its newest value. */
class ViewStep {
  /** Undefined for a device that was deleted after its message was accepted. */
  readonly #devices = new Map<Uuid, Device | undefined>();
  readonly refused = new Map<Uuid, number>();
  readonly tooLarge: TooLarge[] = [];
  /** Whether any device has points with a time of their own; undefined until that is asked. */
  #anyExpiring: boolean | undefined;
  entries = 0;
  #rows = 0;
  #characters = 0;

  constructor(
    private readonly env: Environment,
    private readonly view: ViewEnvironment,
    private readonly keysMax: number,
    private readonly limits: StepLimits,
  ) {}

  get full(): boolean {
    const { entries, rows, characters } = this.limits;
    return this.entries >= entries || this.#rows >= rows || this.#characters >= characters;
  }

  /** @param row of one entry: only such a row is that large */
  passOver(row: Buffer): void {
    this.entries++;
    this.tooLarge.push({ deviceId: entryDevice(row.toString('latin1', 0, ENTRY_OVERHEAD)), bytes: row.length });
  }

  /** @returns whether its device is there */
  take(entry: string): boolean {
    this.entries++;
    this.#characters += entry.length;
    const deviceId = entryDevice(entry);
    const device = this.#device(deviceId);
    if (!device) return false;
    const expiry = entryExpiry(entry);
    device.expiring ||= expiry !== undefined;
    for (const { ts, values } of entryRecords(entry)) {
      const bucket = bucketOf(ts);
      for (const { key, value } of values) {
        const series = device.series.get(key) ?? this.#series(device, key);
        if (!series) {
          this.refused.set(deviceId, (this.refused.get(deviceId) ?? 0) + 1);
          continue;
        }
        const line = pointLine(ts, value);
        const row = series.rows.get(bucket);
        series.rows.set(bucket, row === undefined ? line : `${row}\n${line}`);
        if (row === undefined) this.#rows++;
        if (ts >= (series.newest?.ts ?? series.storedTs)) series.newest = { ts, line };
        if (device.expiring) {
          series.expiries ??= new Map();
          series.expiries.set(ts, expiry);
        }
      }
    }
    return true;
  }

  write(sequence: number): void {
    for (const device of this.#devices.values()) {
      for (const { latestKey, historyPrefix, newest, rows, expiries } of device?.series.values() ?? []) {
        if (newest) this.view.latest.put(latestKey, newest.line);
        for (const [bucket, lines] of rows) this.view.history.put(rowKey(historyPrefix, bucket, sequence), lines);
        for (const [ts, expiry] of expiries ?? []) {
          const key = expiringKey(historyPrefix, ts);
          if (expiry === undefined) this.view.expiring.remove(key);
          else this.view.expiring.put(key, String(expiry));
        }
      }
    }
  }

  #device(deviceId: Uuid): Device | undefined {
    const known = this.#devices.get(deviceId);
    if (known || this.#devices.has(deviceId)) return known;
    const id = uuidBytes(deviceId);
    const device = this.env.devices.doesExist(deviceId)
      ? { id, series: new Map(), expiring: this.#hasExpiring(id), keys: undefined }
      : undefined;
    this.#devices.set(deviceId, device);
    return device;
  }

  /** Undefined for a new key of a device that has all it may have, or one too long: the payload reader lets none through. */
  #series(device: Device, key: string): Series | undefined {
    const name = nameBytes(key);
    const historyPrefix = seriesPrefix(device.id, key);
    if (!name || !historyPrefix) return undefined;
    const latestKey = Buffer.concat([device.id, name]);
    const stored = this.view.latest.get(latestKey);
    if (stored === undefined && !this.#admits(device)) return undefined;
    const storedTs = stored === undefined ? Number.NEGATIVE_INFINITY : timeOf(stored);
    const series: Series = {
      latestKey,
      historyPrefix,
      storedTs,
      newest: undefined,
      rows: new Map(),
      expiries: undefined,
    };
    device.series.set(key, series);
    return series;
  }

  #hasExpiring(device: Buffer): boolean {
    // Hardly anybody has such points: one look for all devices of the step.
    this.#anyExpiring ??= this.view.expiring.getKeysCount({ limit: 1 }) > 0;
    return this.#anyExpiring && this.view.expiring.getKeysCount({ ...prefixRange(device), limit: 1 }) > 0;
  }

  #admits(device: Device): boolean {
    device.keys ??= this.view.latest.getKeysCount({ ...prefixRange(device.id), limit: this.keysMax });
    if (device.keys >= this.keysMax) return false;
    device.keys++;
    return true;
  }
}
