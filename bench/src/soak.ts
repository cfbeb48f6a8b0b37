import { setTimeout as delay } from 'node:timers/promises';
import type { Contestant } from './contestant';
import { megabytes } from './limits';
import { type Growth, growthOf } from './measure/growth';

/** Seconds of the soak's load before the first sample: caches and JIT reach their size. */
const SOAK_WARMUP_SECONDS = 20;
const SAMPLE_MS = 1000;

/** Full load for `seconds` after a warm-up, with one sample of anonymous memory per second. Throws FailedRun. */
export async function soak(gateway: Contestant, seconds: number, print: (line: string) => void): Promise<Growth> {
  print(`soak: ${seconds} s of full load on the gateway after ${SOAK_WARMUP_SECONDS} s of warm-up`);
  const samples: number[] = [];
  const abort = new AbortController();
  const sampling = sample(gateway, seconds, samples, abort.signal);
  let round: Awaited<ReturnType<Contestant['load']>>;
  try {
    [round] = await Promise.all([gateway.load(SOAK_WARMUP_SECONDS + seconds), sampling]);
  } finally {
    abort.abort();
  }
  const growth = growthOf(samples);
  const { windowSeconds } = growth;
  print(`  requests/s ${Math.round(round.requestsPerSecond)}, retransmissions ${round.retransmissions}`);
  print(
    `  anonymous memory: idle ${megabytes(gateway.idleBytes)}, after warm-up ${megabytes(samples[0] ?? 0)}, ` +
      `max ${megabytes(growth.max)}, end ${megabytes(samples.at(-1) ?? 0)}`,
  );
  print(
    `  growth ${growth.percent.toFixed(1)} %: mean of the last ${windowSeconds} s (${megabytes(growth.last)}) against ` +
      `the mean of the first ${windowSeconds} s after warm-up (${megabytes(growth.first)}); ` +
      'single samples swing with the garbage collector',
  );
  return growth;
}

async function sample(gateway: Contestant, seconds: number, samples: number[], signal: AbortSignal): Promise<void> {
  await delay(SOAK_WARMUP_SECONDS * 1000, undefined, { signal });
  while (samples.length < seconds) {
    samples.push(gateway.anonymousBytes);
    await delay(SAMPLE_MS, undefined, { signal });
  }
}
