import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gatewayCommand } from '../benchmark';
import type { BenchOptions } from '../options';
import { startFleet } from './fleet';
import { MAX_LATENCY_RATIO, measureLatency } from './latency';
import { RedisProcess } from './redis-process';
import { compareThroughput, MIN_THROUGHPUT_RATIO } from './throughput';
import { MAX_BYTES_PER_WAITER, measureWaiters, WAITING_DEVICES } from './waiters';

/** One process of each role over a Redis of their own: throughput, latency, waiting devices. Returns the limits that are missed. */
export async function benchmarkRedis(options: BenchOptions, print: (line: string) => void): Promise<string[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tandem-bench-redis-'));
  const discard = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', discard);
  const home = (name: string): string => {
    const made = path.join(folder, name);
    mkdirSync(made);
    return made;
  };
  const command = gatewayCommand(options);
  const missed: string[] = [];
  const redis = await RedisProcess.start(home('redis'));
  try {
    const fleet = await startFleet({ command, folder: home('fleet'), redis, devices: options.devices });
    try {
      for (const protocol of ['http', 'coap'] as const) {
        const ratio = await compareThroughput(protocol, { fleet, redis, folder: home(protocol) }, options, print);
        if (!(ratio >= MIN_THROUGHPUT_RATIO)) {
          missed.push(`${protocol}: gateway / B' is ${ratio.toFixed(4)}, at least ${MIN_THROUGHPUT_RATIO} is wanted`);
        }
      }
      missed.push(...judgeLatency(await measureLatency(fleet, redis), print));
    } finally {
      await fleet.stop();
    }
    await redis.client.flushall();
    missed.push(...(await waiters(command, home('waiters'), redis, print)));
  } finally {
    await redis.stop();
  }
  process.off('exit', discard);
  discard();
  return missed;
}

function judgeLatency(
  { bare, coap, http }: Awaited<ReturnType<typeof measureLatency>>,
  print: (line: string) => void,
): string[] {
  print(`\nwrite of a shared attribute in one process -> notification of another, medians`);
  print(`bare publish and receive: ${bare.toFixed(0)} us`);
  const missed: string[] = [];
  for (const [name, taken] of Object.entries({ 'CoAP observation': coap, 'HTTP poll': http })) {
    const ratio = taken / bare;
    print(`${name}: ${taken.toFixed(0)} us, ${ratio.toFixed(2)} times (at most ${MAX_LATENCY_RATIO} is wanted)`);
    if (!(ratio <= MAX_LATENCY_RATIO)) {
      missed.push(`a notification to the ${name} takes ${ratio.toFixed(2)} times a bare publish and receive`);
    }
  }
  return missed;
}

/** A fleet of its own: what throughput left in the memory of the processes would hide what a waiting device costs. */
async function waiters(
  command: readonly string[],
  folder: string,
  redis: RedisProcess,
  print: (line: string) => void,
): Promise<string[]> {
  const fleet = await startFleet({ command, folder, redis, devices: WAITING_DEVICES });
  try {
    const { http, coap, redis: stored, total } = await measureWaiters(fleet, redis);
    print(`\n${WAITING_DEVICES} waiting devices, half in HTTP polls, half in CoAP observations; bytes for each`);
    print(`http process ${http.toFixed(0)}, coap process ${coap.toFixed(0)}, Redis ${stored.toFixed(0)}`);
    print(`in all: ${total.toFixed(0)} (at most ${MAX_BYTES_PER_WAITER} is wanted)`);
    return total <= MAX_BYTES_PER_WAITER ? [] : [`a waiting device costs ${total.toFixed(0)} bytes`];
  } finally {
    await fleet.stop();
  }
}
