import type { Uuid } from '../devices/model';
import type { FeedChange } from '../state/device-feed';
import type { TelemetryPoint, TelemetryView } from '../state/telemetry-view';
import type { FirstState, LiveEntry, LiveSource } from './live-source';

export interface LiveHistory {
  /** By key. */
  readonly points: ReadonlyMap<string, readonly TelemetryPoint[]>;
  /** Whether they are points as they were sent, and not reckoned of several. */
  readonly raw: boolean;
}

export interface LiveTelemetryOptions {
  /** All where undefined. */
  readonly keys?: readonly string[];
  /** Values older than the latest one are left out. */
  readonly onlyNewer: boolean;
  /** What is told first instead of the latest values. */
  readonly history?: () => Promise<LiveHistory>;
}

/** Telemetry of a device: its latest values, or a part of its history, and then what comes. */
export class LiveTelemetry implements LiveSource {
  readonly tellsAbsence = false;
  readonly #keys: ReadonlySet<string> | undefined;

  constructor(
    private readonly view: Pick<TelemetryView, 'latest'>,
    private readonly deviceId: Uuid,
    private readonly options: LiveTelemetryOptions,
  ) {
    this.#keys = options.keys && new Set(options.keys);
  }

  get onlyNewer(): boolean {
    return this.options.onlyNewer;
  }

  async first(): Promise<FirstState> {
    const { history } = this.options;
    if (!history) return { kind: 'state', entries: await this.again() };
    const { points, raw } = await history();
    const entries: LiveEntry[] = [];
    const newest = new Map<string, LiveEntry>();
    for (const [key, ofKey] of points) {
      for (const point of ofKey) {
        const entry = entryOf(key, point);
        entries.push(entry);
        if (raw && entry.ts >= (newest.get(key)?.ts ?? entry.ts)) newest.set(key, entry);
      }
    }
    return { kind: 'history', entries, newest: [...newest.values()] };
  }

  async again(): Promise<LiveEntry[]> {
    const latest = await this.view.latest(this.deviceId, this.options.keys);
    return Array.from(latest, ([key, point]) => entryOf(key, point));
  }

  others(): readonly string[] {
    return [];
  }

  entries(change: FeedChange): LiveEntry[] {
    if (change.kind !== 'telemetry') return [];
    return change.records.flatMap(({ ts, values }) =>
      values.filter(({ key }) => this.#keys?.has(key) ?? true).map(({ key, value }) => entryOf(key, { ts, value })),
    );
  }
}

const entryOf = (key: string, { ts, value }: TelemetryPoint): LiveEntry => ({ id: key, key, ts, value });
