import { entryDevice, entryRecords } from './entry-codec';
import type { Environment } from './environment';
import { nameBytes, timestampBytes, uuidBytes } from './keys';
import { parseLatest, seriesPrefix } from './telemetry-view';

/** Characters of one step, so that large messages do not fill the memory of the worker. */
const MAX_STEP_LENGTH = 8_000_000;

/**
 * One step of the materialiser: moves up to `limit` entries from the log into the view, all in one transaction, so that
 * an entry is in the log or in the view, never in both or neither, whenever the process dies.
 * @returns how many entries were moved
 */
export function materialise(env: Environment, limit: number): number {
  return env.root.transactionSync(() => {
    const batch = nextBatch(env, limit);
    const last = batch.at(-1);
    if (!last) return 0;
    const step = new ViewStep(env);
    for (const { value } of batch) step.take(value);
    step.writeLatest();
    for (const { key } of batch) env.telemetryLog.remove(key);
    env.meta.put('consumed', String(last.key));
    return batch.length;
  });
}

function nextBatch(env: Environment, limit: number): { key: number; value: string }[] {
  const batch: { key: number; value: string }[] = [];
  let length = 0;
  for (const entry of env.telemetryLog.getRange({ limit })) {
    batch.push(entry);
    length += entry.value.length;
    if (length >= MAX_STEP_LENGTH) break;
  }
  return batch;
}

interface Latest {
  readonly ts: number;
  readonly text: string;
}

/** The view's side of one step: writes history at once and the latest values at the end, each once. */
class ViewStep {
  readonly #devices = new Map<string, Buffer | undefined>();
  readonly #latest = new Map<string, { key: Buffer; stored: number; newest: Latest | undefined }>();

  constructor(private readonly env: Environment) {}

  take(entry: string): void {
    const deviceId = entryDevice(entry);
    const device = this.#device(deviceId);
    // A device that was deleted after its message was accepted has no view any more.
    if (!device) return;
    for (const { ts, values } of entryRecords(entry)) {
      const at = timestampBytes(ts);
      for (const { key, value } of values) {
        const series = seriesPrefix(device, key);
        if (!series) continue;
        this.env.history.put(Buffer.concat([series, at]), value);
        this.#offerLatest(deviceId, device, key, ts, value);
      }
    }
  }

  writeLatest(): void {
    for (const { key, newest } of this.#latest.values()) {
      if (newest) this.env.latest.put(key, `${newest.ts} ${newest.text}`);
    }
  }

  #device(deviceId: string): Buffer | undefined {
    if (!this.#devices.has(deviceId)) {
      this.#devices.set(deviceId, this.env.devices.doesExist(deviceId) ? uuidBytes(deviceId) : undefined);
    }
    return this.#devices.get(deviceId);
  }

  #offerLatest(deviceId: string, device: Buffer, key: string, ts: number, text: string): void {
    const series = `${deviceId}${key}`;
    let entry = this.#latest.get(series);
    if (!entry) {
      const at = Buffer.concat([device, nameBytes(key) ?? Buffer.alloc(0)]);
      const stored = this.env.latest.get(at);
      entry = {
        key: at,
        stored: stored === undefined ? Number.NEGATIVE_INFINITY : parseLatest(stored).ts,
        newest: undefined,
      };
      this.#latest.set(series, entry);
    }
    if (ts >= (entry.newest?.ts ?? entry.stored)) entry.newest = { ts, text };
  }
}
