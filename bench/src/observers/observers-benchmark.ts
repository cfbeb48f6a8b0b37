import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Contestant } from '../contestant';
import type { BenchOptions } from '../options';
import { deviceTokens } from '../servers/server-under-test';
import { Door } from './door';
import { type FanOut, measureFanOut } from './fan-out';
import { measureIdleObservations } from './idle-observations';

export interface ObserversOptions extends Pick<BenchOptions, 'observations' | 'fanout'> {
  /** Starts the gateway. */
  readonly command: readonly string[];
  /** Fresh, for the store and the output of all processes. */
  readonly folder: string;
  readonly parseOnly: Contestant;
  readonly print: (line: string) => void;
}

export interface ObserverFigures {
  /** Undefined without --observations. */
  readonly observationBytes: number | undefined;
  /** Undefined without --fanout. */
  readonly fanOut: FanOut | undefined;
}

/** What observations cost while nothing happens, and when something happens to all of them. Throws FailedRun. */
export async function benchmarkObservers(options: ObserversOptions): Promise<ObserverFigures> {
  const { observations, fanout, folder } = options;
  const tokens = deviceTokens(Math.max(observations, 2 * fanout));
  if (tokens.length === 0) return { observationBytes: undefined, fanOut: undefined };
  const dataFolder = path.join(folder, 'data');
  mkdirSync(dataFolder);
  await createDevices(tokens, dataFolder, folder);
  const observed = tokens.slice(0, fanout);
  const unobserved = tokens.slice(fanout, 2 * fanout);
  const fanOut = fanout > 0 ? await measureFanOut({ ...options, dataFolder, observed, unobserved }) : undefined;
  const observationBytes =
    observations > 0 ? await measureIdleObservations({ ...options, tokens: tokens.slice(0, observations) }) : undefined;
  return { observationBytes, fanOut };
}

/** In a process that ends afterwards, and not through the server API, which takes two minutes for 50,000. */
async function createDevices(tokens: readonly string[], dataFolder: string, folder: string): Promise<void> {
  const door = new Door({ dataFolder, folder, env: {} });
  try {
    await door.create(tokens);
  } finally {
    await door.stop();
  }
}
