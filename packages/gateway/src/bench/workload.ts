/** What is asked for, again and again; alike over both protocols. */
export interface Workload {
  readonly method: 'GET' | 'POST';
  /** Behind the token. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export const WORKLOADS = {
  telemetry: { method: 'POST', path: ['telemetry'], body: '{"temperature":21.5,"humidity":48,"status":"on"}' },
  attributes: { method: 'POST', path: ['attributes'], body: '{"firmware":"v1.2","serial":"A-17"}' },
  read: { method: 'GET', path: ['attributes'] },
} as const satisfies Record<string, Workload>;

export type WorkloadName = keyof typeof WORKLOADS;

/** One connection, or one UDP port: sends a request and resolves with the code of its answer. Throws NoAnswer. */
export interface Requester {
  send(): Promise<string>;
  close(): void;
}
