/** What a generator process is told once, before its first run. */
export type GeneratorConfig = {
  readonly host: string;
  readonly port: number;
  readonly tokens: readonly string[];
} & (
  | { readonly protocol: 'http'; readonly connections: number }
  | { readonly protocol: 'coap'; readonly peers: number; readonly window: number }
);

export interface RunRequest {
  /** Seconds of full load before anything is counted. */
  readonly rampSeconds: number;
  /** Seconds in which answers and latencies are counted. */
  readonly seconds: number;
}

export interface RunResult {
  readonly requestsPerSecond: number;
  readonly p50Micros: number;
  readonly p99Micros: number;
  /** Successes of the whole run, with ramp and drain: the divisor for the server's CPU time. */
  readonly answered: number;
  /** Everything that was not a success in the whole run, by kind. */
  readonly failures: Readonly<Record<string, number>>;
  readonly retransmissions: number;
  /** CPU time of the generator in the counted part, as a share of one core. */
  readonly generatorBusy: number;
}

export type ToGenerator =
  | { readonly kind: 'prepare'; readonly config: GeneratorConfig }
  | { readonly kind: 'run'; readonly request: RunRequest };

export type FromGenerator =
  | { readonly kind: 'prepared' }
  | { readonly kind: 'result'; readonly result: RunResult }
  | { readonly kind: 'broken'; readonly reason: string };
