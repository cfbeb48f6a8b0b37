import { pointLine, type Uuid } from '@tandem/core';
import { entryDevice, entryLines, entryRecords, splitEntries } from './entry-codec';
import type { Environment, ViewEnvironment } from './environment';
import { bucketOf, rowKey } from './history-rows';
import { nameBytes, uuidBytes } from './keys';
import type { LogEnvironment } from './log-environment';
import { consumedSequence } from './telemetry-log';
import { seriesPrefix } from './telemetry-view';

export interface Environments {
  readonly env: Environment;
  readonly log: LogEnvironment;
  readonly view: ViewEnvironment;
}

/** Bounds of one step. Rows bound the pages a transaction holds in memory, characters the texts. */
export interface StepLimits {
  readonly entries: number;
  readonly rows: number;
  readonly characters: number;
}

export const STEP_LIMITS: StepLimits = { entries: 20_000, rows: 4_000, characters: 8_000_000 };

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
}

const NOTHING: StepResult = { moved: 0, more: false };

/** Log rows that one transaction removes: an append waits for it. */
const TRIM_BATCH = 500;

/**
 * One step of the materialiser: puts what the log has after the last step into the view, in one transaction of the view that
 * also notes how far it came; only then the log lets go of it. Whenever the process dies, the next step goes on from the note,
 * so each entry gets into the view once.
 */
export function materialise(
  { env, log, view }: Environments,
  limits: StepLimits = STEP_LIMITS,
  watching: Watching = NOBODY,
): StepResult {
  env.root.resetReadTxn();
  log.root.resetReadTxn();
  const told: ToldEntry[] = [];
  const moved = view.root.transactionSync(() => {
    const step = new ViewStep(env, view, limits);
    let last: number | undefined;
    for (const { key, value } of log.telemetryLog.getRange({ start: consumedSequence(view) + 1 })) {
      for (const entry of splitEntries(value)) {
        if (step.take(entry) && watching.devices.has(entryDevice(entry))) {
          told.push({ deviceId: entryDevice(entry), lines: entryLines(entry) });
        }
      }
      last = key;
      if (step.full) break;
    }
    if (last === undefined) return NOTHING;
    step.write(last);
    view.meta.put('consumed', String(last));
    return { moved: step.entries, more: step.full };
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
}

/** What one step gathers before it writes: each series' points by bucket, and its newest value. */
class ViewStep {
  /** By device, then by key; undefined for a device that was deleted after its message was accepted. */
  readonly #devices = new Map<string, Map<string, Series> | undefined>();
  entries = 0;
  #rows = 0;
  #characters = 0;

  constructor(
    private readonly env: Environment,
    private readonly view: ViewEnvironment,
    private readonly limits: StepLimits,
  ) {}

  get full(): boolean {
    const { entries, rows, characters } = this.limits;
    return this.entries >= entries || this.#rows >= rows || this.#characters >= characters;
  }

  /** @returns whether its device is there */
  take(entry: string): boolean {
    this.entries++;
    this.#characters += entry.length;
    const deviceId = entryDevice(entry);
    let device = this.#devices.get(deviceId);
    if (!device) {
      if (this.#devices.has(deviceId)) return false;
      device = this.env.devices.doesExist(deviceId) ? new Map() : undefined;
      this.#devices.set(deviceId, device);
      if (!device) return false;
    }
    for (const { ts, values } of entryRecords(entry)) {
      const bucket = bucketOf(ts);
      for (const { key, value } of values) {
        const series = device.get(key) ?? this.#series(deviceId, device, key);
        if (!series) continue;
        const line = pointLine(ts, value);
        const row = series.rows.get(bucket);
        series.rows.set(bucket, row === undefined ? line : `${row}\n${line}`);
        if (row === undefined) this.#rows++;
        if (ts >= (series.newest?.ts ?? series.storedTs)) series.newest = { ts, line };
      }
    }
    return true;
  }

  write(sequence: number): void {
    for (const device of this.#devices.values()) {
      for (const { latestKey, historyPrefix, newest, rows } of device?.values() ?? []) {
        if (newest) this.view.latest.put(latestKey, newest.line);
        for (const [bucket, lines] of rows) this.view.history.put(rowKey(historyPrefix, bucket, sequence), lines);
      }
    }
  }

  /** Undefined for a key that is too long to be stored: the payload reader lets none through. */
  #series(deviceId: string, device: Map<string, Series>, key: string): Series | undefined {
    const id = uuidBytes(deviceId);
    const name = nameBytes(key);
    const historyPrefix = seriesPrefix(id, key);
    if (!name || !historyPrefix) return undefined;
    const latestKey = Buffer.concat([id, name]);
    const stored = this.view.latest.get(latestKey);
    const storedTs = stored === undefined ? Number.NEGATIVE_INFINITY : Number(stored.slice(0, stored.indexOf(' ')));
    const series: Series = { latestKey, historyPrefix, storedTs, newest: undefined, rows: new Map() };
    device.set(key, series);
    return series;
  }
}
