import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FailedRun } from '../contestant';
import type { ServerUnderTest } from '../servers/server-under-test';
import { anonymousBytesOf } from './process-usage';
import { untilQuiet } from './quiet';

const COLLECT_ON_SIGNAL = path.join(__dirname, 'collect-on-signal.js');
/** MB. By itself the young generation is empty and yet 30 MB or 1 as it happens: 600 bytes for each of 50,000 observations. */
const SEMI_SPACE = 1;
/** The first collection lets go of objects, the second of the memory that their finalizers gave back. */
const COLLECTIONS = 2;
const COLLECTION_MS = 1_500;
/** Longer than the interval of the activity reports: what is noted between two of them is gone. */
const REST_MS = 4_000;

/** `NODE_OPTIONS` of a gateway whose memory is looked at by `atRest`. */
export const COLLECTING_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --max-semi-space-size=${SEMI_SPACE} --require ${COLLECT_ON_SIGNAL}`;

/** Anonymous memory, bytes. */
export interface AtRest {
  readonly uncollected: number;
  readonly collected: number;
}

/** Garbage is collected first: it would hide what a look is after. */
export async function atRest(gateway: ServerUnderTest): Promise<AtRest> {
  await delay(REST_MS);
  await untilQuiet(gateway.pid);
  const uncollected = anonymousBytesOf(gateway.pid);
  for (let collection = 0; collection < COLLECTIONS; collection += 1) {
    process.kill(gateway.pid, 'SIGUSR2');
    await delay(COLLECTION_MS);
    await untilQuiet(gateway.pid);
  }
  const ended = gateway.ended();
  if (ended !== undefined) throw new FailedRun(ended.message);
  return { uncollected, collected: anonymousBytesOf(gateway.pid) };
}
