import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { GatewayProcess, LogLine } from '../support/gateway-process';
import { BOUNDS } from './limits';

const INTERVAL = 500;
const MEGABYTE = 1 << 20;
/** So much more than after the warm-up is still flat. */
const GROWTH = 1.15;
const SLACK = 10 * MEGABYTE;
/** A gateway that does not answer for so long is as good as dead. */
const PATIENCE = 15_000;
/** A flood of strangers must not become one of log lines. */
const LOG_LINES_PER_SECOND = 10;

export type Metrics = ReadonlyMap<string, number>;

/** Looks at the gateway from outside all the time, and collects what is not as promised. */
export class Watch {
  readonly crashed: string[] = [];
  readonly errors: string[] = [];
  readonly unready: string[] = [];
  /** By name. */
  readonly unbounded = new Map<string, string>();
  /** The highest reading of each metric that has a bound. */
  readonly peaks = new Map<string, number>();
  /** Bytes of anonymous memory, oldest first. */
  readonly memory: number[] = [];
  metrics: Metrics = new Map();
  logLines = 0;
  #ofNoDevice = 0;
  #read = 0;
  #stopped = false;
  readonly #since = Date.now();
  #loop: Promise<void> = Promise.resolve();

  constructor(private readonly gateway: GatewayProcess) {}

  start(): void {
    this.#loop = (async () => {
      while (!this.#stopped && this.crashed.length === 0) {
        await this.look();
        await delay(INTERVAL);
      }
    })();
  }

  stop(): Promise<void> {
    this.#stopped = true;
    return this.#loop;
  }

  /** Resolves when there is nothing more to be watched: the gateway has gone, or hangs. */
  get end(): Promise<void> {
    return this.#loop;
  }

  async look(): Promise<void> {
    this.#readLog();
    if (!this.gateway.running) {
      this.crashed.push(`the gateway has ended: ${JSON.stringify(await this.gateway.exit)} ${this.gateway.stderr}`);
      return;
    }
    this.memory.push(anonymousMemory(this.gateway.pid));
    await this.#askReadiness();
    if (this.crashed.length === 0) await this.#readMetrics();
  }

  /** What is wrong with the course of memory: the peak of the second half against that before, without the warm-up. */
  get growth(): string[] {
    const { warm, peak } = this.memoryCourse;
    if (peak <= warm * GROWTH + SLACK) return [];
    return [`anonymous memory grew from ${megabytes(warm)} to ${megabytes(peak)}`];
  }

  /** Peaks, in bytes: of the time from a quarter to a half, and of all after it. */
  get memoryCourse(): { readonly warm: number; readonly peak: number } {
    const { memory } = this;
    const half = memory.length >> 1;
    return { warm: Math.max(...memory.slice(half >> 1, half)), peak: Math.max(...memory.slice(half)) };
  }

  #readLog(): void {
    const { stdout, stderr } = this.gateway;
    const end = stdout.lastIndexOf('\n') + 1;
    const lines = stdout.slice(this.#read, end).split('\n').filter(Boolean);
    this.#read = end;
    this.logLines += lines.length;
    for (const line of lines) {
      const { level, message, deviceId } = JSON.parse(line) as LogLine;
      // What a device with valid credentials sends may be worth a line.
      if (deviceId === undefined) this.#ofNoDevice++;
      if (level === 'error') this.errors.push(`${message}: ${line.slice(0, 500)}`);
    }
    if (stderr !== '' && this.errors.length === 0) this.errors.push(`on standard error: ${stderr.slice(0, 500)}`);
    const seconds = (Date.now() - this.#since) / 1000;
    const bound = 50 + LOG_LINES_PER_SECOND * seconds;
    if (this.#ofNoDevice > bound) this.unbounded.set('log', `${this.#ofNoDevice} lines that no device has caused`);
  }

  async #askReadiness(): Promise<void> {
    try {
      const answer = await fetch(`http://127.0.0.1:${this.gateway.metrics}/readyz`, {
        signal: AbortSignal.timeout(PATIENCE),
      });
      const text = await answer.text();
      if (answer.status !== 200) this.unready.push(`/readyz: ${answer.status} ${text}`);
    } catch (error) {
      // Whether it has ended is told at the next look.
      if (!this.gateway.running) return;
      if (error instanceof Error && error.name === 'TimeoutError') this.crashed.push('the gateway answers no more');
      else this.unready.push(`/readyz: ${String(error)}`);
    }
  }

  async #readMetrics(): Promise<void> {
    this.metrics = await readMetrics(this.gateway.metrics).catch(() => this.metrics);
    for (const [name, bound] of Object.entries(BOUNDS)) {
      const reading = this.metrics.get(name);
      this.peaks.set(name, Math.max(reading ?? 0, this.peaks.get(name) ?? 0));
      if (reading === undefined) this.unbounded.set(name, 'is not among the metrics');
      else if (reading > bound) this.unbounded.set(name, `was ${reading}, above ${bound}`);
    }
  }
}

async function readMetrics(port: number): Promise<Metrics> {
  const url = `http://127.0.0.1:${port}/metrics`;
  const text = await (await fetch(url, { signal: AbortSignal.timeout(PATIENCE) })).text();
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    samples.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

/** Bytes of the process's own, without what is mapped from files: the store's pages come and go as the system likes. */
function anonymousMemory(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}

export const megabytes = (bytes: number): string => `${Math.round(bytes / MEGABYTE)} MB`;
