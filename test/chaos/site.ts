import type { Cluster, Redis } from 'ioredis';
import type { ServerClient } from '../support/server-client';
import type { TelemetryLoad } from './telemetry-load';

export interface ChaosDevice {
  readonly id: string;
  readonly token: string;
}

/** Ports of a gateway, of one process or of several. */
export interface Doors {
  readonly http: number;
  readonly coap: number;
}

/** One process, where it can be asked how it is. */
export interface ProcessUnderTest {
  readonly name: string;
  /** Port of `/metrics` and `/readyz`. */
  readonly metrics: number;
  /** Whether it has ended although nobody ended it. */
  readonly died: boolean;
}

/** Gateways over one store, two ways in: what load is put on, and what is broken under it. */
export interface Site {
  readonly gateways: readonly [Doors, Doors];
  readonly processes: readonly ProcessUnderTest[];
  /** Of the telemetry. */
  readonly partitions: number;
  client(index: 0 | 1): ServerClient;
  createDevices(count: number, generation: string): Promise<ChaosDevice[]>;
  /** A connection to the store, of the caller's own. */
  connectToStore(): Promise<Redis | Cluster>;
  /** Telemetry beside that over HTTP and CoAP, with numbers from `first` on. */
  moreTelemetry?(device: ChaosDevice, first: number): Promise<TelemetryLoad>;
}

/** The reading of a metric: the sum of its rows; NaN where the process has none of that name. */
export async function metricAt(port: number, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const rows = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))];
  return rows.length === 0 ? Number.NaN : rows.reduce((sum, [, value]) => sum + Number(value), 0);
}
