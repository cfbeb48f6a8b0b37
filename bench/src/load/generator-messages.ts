import type { ClientFiles } from '../dtls/dtls-client';

/** What a generator process is told once, before its first run. */
export type GeneratorConfig = {
  readonly host: string;
  readonly port: number;
} & (
  | { readonly load: 'http'; readonly tokens: readonly string[]; readonly connections: number }
  | {
      readonly load: 'coap' | 'coaps';
      readonly tokens: readonly string[];
      readonly peers: number;
      readonly window: number;
    }
  | {
      /** Of DTLS; a session that was opened is closed at once. */
      readonly load: 'handshakes';
      readonly files: ClientFiles;
      /** Whether they resume a session. */
      readonly resumed: boolean;
      /** Under way at the same time. */
      readonly lanes: number;
    }
  | {
      readonly load: 'reads';
      /** Path and query of each GET: taken in turn by all connections together, from the start again after the last. */
      readonly paths: readonly string[];
      /** Value of X-Authorization. */
      readonly authorization: string;
      readonly connections: number;
    }
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
