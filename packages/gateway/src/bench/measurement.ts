import { createHistogram } from 'node:perf_hooks';
import type { Millis } from '@tandem/core';

export interface Outcome {
  readonly seconds: number;
  readonly answered: number;
  readonly latency: { readonly p50: Millis; readonly p95: Millis; readonly p99: Millis; readonly max: Millis };
  /** By code, or by why there was none. */
  readonly answers: Readonly<Record<string, number>>;
  /** How much of its time the measuring process was busy, 0 to 1. */
  readonly ownLoad: number;
}

/** From here on it is likely that more could have been measured. */
const BUSY = 0.9;

/** Counts what is recorded between its beginning and its end. */
export class Measurement {
  // Microseconds, with three digits.
  readonly #latency = createHistogram({ lowest: 1, highest: 600_000_000, figures: 3 });
  readonly #answers = new Map<string, number>();
  readonly #began = performance.now();
  readonly #load = performance.eventLoopUtilization();

  answered(code: string, took: Millis): void {
    this.#latency.record(Math.max(1, Math.round(took * 1_000)));
    this.#count(code);
  }

  failed(reason: string): void {
    this.#count(reason);
  }

  end(): Outcome {
    const at = (percentile: number): Millis => this.#latency.percentile(percentile) / 1_000;
    const { count } = this.#latency;
    return {
      seconds: (performance.now() - this.#began) / 1_000,
      answered: count,
      latency: { p50: at(50), p95: at(95), p99: at(99), max: count === 0 ? 0 : this.#latency.max / 1_000 },
      answers: Object.fromEntries(this.#answers),
      ownLoad: performance.eventLoopUtilization(this.#load).utilization,
    };
  }

  #count(what: string): void {
    this.#answers.set(what, (this.#answers.get(what) ?? 0) + 1);
  }
}

export const isSuccess = (code: string): boolean => /^2(?:\d\d|\.\d\d)$/.test(code);

/** A line about each thing. */
export function renderOutcome({ seconds, answered, latency, answers, ownLoad }: Outcome): string {
  const number = (value: number) => Math.round(value).toLocaleString('en');
  const millis = (value: Millis) => `${value.toFixed(value < 10 ? 2 : 0)} ms`;
  const { p50, p95, p99, max } = latency;
  const counts = Object.entries(answers).map(([code, count]) => `${code}: ${number(count)}`);
  const lines = [
    `requests  ${number(answered / seconds)}/s, ${number(answered)} in ${seconds.toFixed(1)} s`,
    `latency   p50 ${millis(p50)}, p95 ${millis(p95)}, p99 ${millis(p99)}, max ${millis(max)}`,
    `answers   ${counts.join(', ')}`,
  ];
  if (ownLoad >= BUSY) {
    lines.push(
      `note      this process was busy for ${Math.round(ownLoad * 100)} % of the time: the gateway may be faster; run several at once`,
    );
  }
  return lines.join('\n');
}
