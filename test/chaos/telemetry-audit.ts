import type { Cluster, Redis } from 'ioredis';
import type { Site } from './site';

const GROUP = 'chaos-audit';
const BATCH = 5_000;

/** Reads the telemetry log with a consumer group of its own: what is really in there, and how often. */
export class TelemetryAudit {
  /** `<device> <timestamp>` -> how many entries. */
  readonly #counts = new Map<string, number>();

  private constructor(
    private readonly redis: Redis | Cluster,
    private readonly streams: readonly string[],
  ) {}

  static async begin(site: Site): Promise<TelemetryAudit> {
    const redis = await site.connectToStore();
    redis.on('error', () => {});
    const streams = Array.from({ length: site.partitions }, (_, partition) => `tandem:telemetry:{${partition}}`);
    for (const stream of streams) await redis.xgroup('CREATE', stream, GROUP, '0', 'MKSTREAM');
    return new TelemetryAudit(redis, streams);
  }

  /** Reads all that is new. */
  async read(): Promise<void> {
    for (const stream of this.streams) {
      for (;;) {
        const replies = (await this.redis.xreadgroup(
          ...(['GROUP', GROUP, 'audit', 'COUNT', BATCH, 'STREAMS', stream, '>'] as const),
        )) as [string, [string, string[]][]][] | null;
        const entries = replies?.[0]?.[1] ?? [];
        if (entries.length === 0) break;
        for (const [, fields] of entries) this.#count(fields);
        await this.redis.xack(stream, GROUP, ...entries.map(([id]) => id));
      }
    }
  }

  times(deviceId: string, timestamp: number): number {
    return this.#counts.get(`${deviceId} ${timestamp}`) ?? 0;
  }

  /** Its group goes, so that it holds nothing back. */
  async end(): Promise<void> {
    for (const stream of this.streams) await this.redis.xgroup('DESTROY', stream, GROUP).catch(() => {});
    this.redis.disconnect();
  }

  #count(fields: readonly string[]): void {
    const device = fields[fields.indexOf('d') + 1] ?? '';
    const records = fields[fields.indexOf('m') + 1] ?? '';
    for (const line of records.split('\n')) {
      const entry = `${device} ${line.slice(0, line.indexOf(' '))}`;
      this.#counts.set(entry, (this.#counts.get(entry) ?? 0) + 1);
    }
  }
}
