import { setTimeout as delay } from 'node:timers/promises';
import { type Contestant, FailedRun } from '../contestant';
import { MAX_FAN_OUT_RATIO } from '../limits';
import { median } from '../measure/median';
import { cpuMicrosOf } from '../measure/process-usage';
import { untilQuiet } from '../measure/quiet';
import { Door } from './door';
import { OBSERVED_KEY } from './door-messages';
import { ObserverFleet } from './observer-fleet';
import type { Notified } from './observer-set';

const ROUNDS = 3;
/** Seconds of load on the baseline in each round. */
const BASELINE_SECONDS = 3;
/** ACK_TIMEOUT * ACK_RANDOM_FACTOR (RFC 7252 section 4.8): what has not been repeated by then has been acknowledged. */
const FIRST_RETRANSMISSION_MS = 3_000;
const RETRANSMISSIONS = 'tandem_coap_retransmissions_total';

export interface FanOutOptions {
  /** Access tokens of devices, which are in the store in this folder: those that are observed. */
  readonly observed: readonly string[];
  /** As many others, which nobody observes. */
  readonly unobserved: readonly string[];
  readonly dataFolder: string;
  /** Takes the output of the processes. */
  readonly folder: string;
  /** Baseline A: parse and answer. */
  readonly parseOnly: Contestant;
  readonly print: (line: string) => void;
}

export interface FanOut {
  /** CPU time of notifying and hearing the acknowledgements, over that of as many exchanges of baseline A; median. */
  readonly ratio: number;
  /** In all rounds. */
  readonly retransmissions: number;
}

interface Round {
  /** From the first write to the last acknowledgement, ms. */
  readonly acknowledged: number;
  /** As many writes to devices that nobody observes, until they are stored, ms. */
  readonly writesAlone: number;
  /** As many exchanges of baseline A, ms. */
  readonly baseline: number;
  /** CPU time of the process for one notification and its acknowledgement, without the write, over that of A's exchange. */
  readonly cpuRatio: number;
}

/**
 * One write of a shared attribute to each of many observed devices, until the last of them has acknowledged its
 * notification, beside as many exchanges of baseline A. Judged is the CPU time that the observers add to the same writes:
 * the writes are durable, A stores nothing, and they alone take longer than what is asked about here. They come from
 * within the process, since through the server API each costs ten times as much again, and the difference of two such
 * sums would say nothing. Throws FailedRun when an observer was not told what was written.
 */
export async function measureFanOut(options: FanOutOptions): Promise<FanOut> {
  const { observed, folder, dataFolder, print } = options;
  const count = observed.length;
  const door = new Door({ dataFolder, folder, env: { COAP_MAX_OBSERVATIONS: String(count) } });
  let fleet: ObserverFleet | undefined;
  try {
    const port = await door.serve();
    fleet = await ObserverFleet.start({ host: door.host, port, tokens: observed, folder });
    await fleet.register();
    print(`\nfan-out: one attribute write to each of ${count} observed devices, each with a UDP port of its own`);
    // Not counted: code is compiled, tables grow to their size.
    await oneRound(0, door, fleet, options);
    const rounds: Round[] = [];
    for (let number = 1; number <= ROUNDS; number += 1) {
      const round = await oneRound(number, door, fleet, options);
      rounds.push(round);
      print(
        `round ${number}: all acknowledged after ${round.acknowledged.toFixed(0)} ms ` +
          `(the writes alone, where nobody observes: ${round.writesAlone.toFixed(0)} ms); ` +
          `${count} exchanges of A: ${round.baseline.toFixed(0)} ms`,
      );
    }
    const ratio = median(rounds.map(({ cpuRatio }) => cpuRatio));
    const time = median(rounds.map(({ acknowledged, baseline }) => acknowledged / baseline));
    const added = median(
      rounds.map(({ acknowledged, writesAlone, baseline }) => (acknowledged - writesAlone) / baseline),
    );
    const retransmissions = await door.metric(RETRANSMISSIONS);
    print(`fan-out / A: ${ratio.toFixed(2)} (CPU, without the writes; at most ${MAX_FAN_OUT_RATIO} is wanted)`);
    print(`fan-out / A: ${added.toFixed(2)} (time that it adds to the writes)`);
    print(`fan-out / A: ${time.toFixed(2)} (time from the first write, all of it)`);
    print(`retransmissions: ${retransmissions} (none is wanted)`);
    return { ratio, retransmissions };
  } finally {
    await fleet?.stop();
    await door.stop();
  }
}

/** @param number also the value that is written */
async function oneRound(
  number: number,
  door: Door,
  fleet: ObserverFleet,
  { observed, unobserved, parseOnly }: FanOutOptions,
): Promise<Round> {
  const { requestsPerSecond, cpuMicrosPerRequest } = await parseOnly.load(BASELINE_SECONDS);
  await untilQuiet(door.pid);
  const cpuBefore = cpuMicrosOf(door.pid);
  const alone = await door.write(unobserved, number + 1);
  await untilQuiet(door.pid);
  const cpuBetween = cpuMicrosOf(door.pid);
  const repeatedBefore = await door.metric(RETRANSMISSIONS);
  await fleet.expect(JSON.stringify({ [OBSERVED_KEY]: number + 1 }));
  const { begun } = await door.write(observed, number + 1);
  const outcome = await fleet.outcome();
  await delay(FIRST_RETRANSMISSION_MS);
  assertAllTold(outcome, observed.length, (await door.metric(RETRANSMISSIONS)) - repeatedBefore);
  const cpuOfNotifying = cpuMicrosOf(door.pid) - cpuBetween - (cpuBetween - cpuBefore);
  return {
    cpuRatio: cpuOfNotifying / observed.length / cpuMicrosPerRequest,
    acknowledged: (outcome.lastMicros - begun) / 1000,
    writesAlone: (alone.stored - alone.begun) / 1000,
    baseline: (observed.length / requestsPerSecond) * 1000,
  };
}

/** Throws FailedRun unless each observer got what was written, once, but for notifications that were repeated. */
export function assertAllTold({ notified, surplus }: Notified, observers: number, retransmissions: number): void {
  if (notified < observers) {
    throw new FailedRun(`fan-out: ${notified} of ${observers} observers were told what was written`);
  }
  if (surplus > retransmissions) {
    throw new FailedRun(`fan-out: ${surplus} notifications too many, with ${retransmissions} retransmissions`);
  }
}
