import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { Contestant } from '../contestant';
import { generatorConfig } from '../load/generator-config';
import { LoadGenerator } from '../load/generator-process';
import type { BenchOptions } from '../options';
import { resultTable } from '../report';
import { startBaseline } from '../servers/baseline';
import type { Protocol, ServerUnderTest } from '../servers/server-under-test';
import type { Fleet } from './fleet';
import type { RedisProcess } from './redis-process';

/** A process over Redis keeps at least this share of the requests/s of baseline B'. */
export const MIN_THROUGHPUT_RATIO = 0.6;

/** Seconds the materialiser may take for what the last round left, before the next one. */
const DRAIN_LIMIT_SECONDS = 120;

const BASELINE = "B' parse + one awaited XADD";

export interface ThroughputField {
  readonly fleet: Fleet;
  readonly redis: RedisProcess;
  readonly folder: string;
}

/**
 * Requests/s of the transport process of the fleet, with its api process materialising beside it, over those of B'.
 * Returns the ratio.
 */
export async function compareThroughput(
  protocol: Protocol,
  { fleet, redis, folder }: ThroughputField,
  options: BenchOptions,
  print: (line: string) => void,
): Promise<number> {
  const contestants: Contestant[] = [];
  const enter = async (server: ServerUnderTest): Promise<Contestant> => {
    const home = path.join(folder, `${protocol}-${contestants.length}`);
    mkdirSync(home);
    const generator = await LoadGenerator.start(generatorConfig(protocol, server, options), home, undefined);
    const contestant = new Contestant(server, generator, print);
    contestants.push(contestant);
    return contestant;
  };
  const home = path.join(folder, `baseline-${protocol}`);
  mkdirSync(home);
  const baseline = await startBaseline({
    name: BASELINE,
    script: `${protocol}-baseline`,
    args: ['redis', String(redis.port)],
    folder: home,
    devices: options.devices,
    core: undefined,
  });
  try {
    const [b, gateway] = [await enter(baseline), await enter(fleet[protocol])];
    for (const contestant of contestants) contestant.idleBytes = contestant.anonymousBytes;
    for (const contestant of contestants) {
      await contestant.load(options.warmup);
      contestant.warmBytes = contestant.anonymousBytes;
    }
    for (let number = 1; number <= options.rounds; number += 1) {
      for (const contestant of contestants) {
        await untilDrained(redis, print);
        const round = await contestant.load(options.seconds);
        contestant.rounds.push(round);
        contestant.endBytes = contestant.anonymousBytes;
        print(`round ${number}, ${contestant.server.name}: ${Math.round(round.requestsPerSecond)} requests/s`);
      }
    }
    const ratio = gateway.summary().requestsPerSecond / b.summary().requestsPerSecond;
    const cpu = gateway.summary().cpuMicrosPerRequest / b.summary().cpuMicrosPerRequest;
    print(`\n${protocol} over Redis; medians of ${options.rounds} x ${options.seconds} s`);
    print(resultTable(contestants));
    print(`gateway / B': ${ratio.toFixed(2)} (requests/s; at least ${MIN_THROUGHPUT_RATIO} is wanted)`);
    print(`gateway / B': ${cpu.toFixed(2)} (CPU us/request of the process that answers)`);
    return ratio;
  } finally {
    await Promise.all(contestants.map((contestant) => contestant.stopGenerator()));
    await baseline.stop();
  }
}

/** Waits until the view has caught up: what a round left to do must not slow the next one. */
async function untilDrained(redis: RedisProcess, print: (line: string) => void): Promise<void> {
  for (let waited = 0; waited < DRAIN_LIMIT_SECONDS * 10; waited += 1) {
    const lengths = await Promise.all(
      (await redis.client.keys('tandem:telemetry:{*}')).map((key) => redis.client.xlen(key)),
    );
    if (lengths.every((length) => length === 0)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  print(`note: the view has not caught up within ${DRAIN_LIMIT_SECONDS} s`);
}
