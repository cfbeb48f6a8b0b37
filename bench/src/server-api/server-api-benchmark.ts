import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gatewayCommand } from '../benchmark';
import { Contestant, FailedRun } from '../contestant';
import { LoadGenerator } from '../load/generator-process';
import { cpuMicrosOf } from '../measure/process-usage';
import type { BenchOptions, StoreName } from '../options';
import { RedisProcess } from '../redis/redis-process';
import { resultTable } from '../report';
import { startBaseline } from '../servers/baseline';
import type { ServerUnderTest } from '../servers/server-under-test';
import { KEYS, type PopulatedGateway, startPopulated } from './populated-gateway';
import { type Read, readsOf } from './reads';

/** A read of the server API costs at most so many times the CPU time of Express when it sends the same bytes. */
const MAX_CPU_RATIO = 3;

/** Requests of a kind whose answers are looked at before the load, spread over all. */
const CHECKED = 5;

const SERVER_CORE = 0;
const GENERATOR_CORE = 1;

/** Each kind of read on each store, beside Express. Returns the limits that are missed. Throws FailedRun. */
export async function benchmarkServerApi(options: BenchOptions, print: (line: string) => void): Promise<string[]> {
  const command = gatewayCommand(options);
  const folder = mkdtempSync(path.join(tmpdir(), 'tandem-bench-server-api-'));
  const discard = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', discard);
  const missed: string[] = [];
  try {
    for (const store of options.stores) {
      const home = path.join(folder, store);
      mkdirSync(home);
      for (const { read, ratio } of await benchmarkStore(store, { command, folder: home }, options, print)) {
        if (!(ratio <= MAX_CPU_RATIO)) {
          missed.push(`${store}, ${read}: ${ratio.toFixed(2)} times Express, at most ${MAX_CPU_RATIO} is wanted`);
        }
      }
    }
  } catch (error) {
    process.off('exit', discard);
    print(`what the servers wrote is in ${folder}`);
    throw error;
  }
  discard();
  return missed;
}

interface Place {
  readonly command: readonly string[];
  readonly folder: string;
}

interface Measured {
  readonly read: string;
  /** CPU time per request of the gateway over that of Express. */
  readonly ratio: number;
}

async function benchmarkStore(
  store: StoreName,
  { command, folder }: Place,
  options: BenchOptions,
  print: (line: string) => void,
): Promise<Measured[]> {
  const redis = store === 'redis' ? await RedisProcess.start(folder) : undefined;
  try {
    print(`\nserver API on the ${store} store`);
    const env = redis === undefined ? {} : { REDIS_URL: redis.url };
    const core = options.pin ? SERVER_CORE : undefined;
    const populated = await startPopulated({ command, folder, devices: options.devices, env, core }, print);
    try {
      const measured: Measured[] = [];
      for (const read of readsOf(options.reads, populated.deviceIds, KEYS)) {
        const home = path.join(folder, read.name);
        mkdirSync(home);
        measured.push({ read: read.name, ratio: await compare(read, populated, redis, home, options, print) });
      }
      return measured;
    } finally {
      populated.api.close();
      await populated.gateway.stop();
    }
  } finally {
    await redis?.stop();
  }
}

/** Rounds of one kind of read, gateway and Express in turn. */
async function compare(
  read: Read,
  { gateway, api }: PopulatedGateway,
  redis: RedisProcess | undefined,
  folder: string,
  options: BenchOptions,
  print: (line: string) => void,
): Promise<number> {
  const bodies = await Promise.all(spread(read.paths).map((each) => api.get(each)));
  for (const body of bodies) {
    const items = read.itemsOf(JSON.parse(body));
    if (items !== read.items) throw new FailedRun(`${read.name}: an answer has ${items} items, not ${read.items}`);
  }
  const [body = ''] = bodies;
  const bodyFile = path.join(folder, 'body.json');
  writeFileSync(bodyFile, body);
  const express = await startBaseline({
    name: 'Express, same bytes',
    script: 'express-baseline',
    args: [bodyFile],
    folder,
    devices: 0,
    core: options.pin ? SERVER_CORE : undefined,
  });
  const contestants: Contestant[] = [];
  const enter = async (server: ServerUnderTest, paths: readonly string[]): Promise<Contestant> => {
    const { host, port } = server;
    const { connections } = options;
    const config = { load: 'reads', host, port, paths, authorization: api.authorization, connections } as const;
    const core = options.pin ? GENERATOR_CORE : undefined;
    const contestant = new Contestant(server, await LoadGenerator.start(config, folder, core), print);
    contestants.push(contestant);
    return contestant;
  };
  try {
    const [bare, served] = [await enter(express, ['/']), await enter(gateway, read.paths)];
    for (const contestant of contestants) {
      contestant.idleBytes = contestant.anonymousBytes;
      await contestant.load(options.warmup);
      contestant.warmBytes = contestant.anonymousBytes;
    }
    let redisMicros = 0;
    for (let number = 1; number <= options.rounds; number += 1) {
      for (const contestant of contestants) {
        const redisBefore = redis === undefined ? 0 : cpuMicrosOf(redis.pid);
        const round = await contestant.load(options.seconds);
        if (contestant === served && redis !== undefined) redisMicros += cpuMicrosOf(redis.pid) - redisBefore;
        contestant.rounds.push(round);
        contestant.endBytes = contestant.anonymousBytes;
      }
    }
    const ratio = served.summary().cpuMicrosPerRequest / bare.summary().cpuMicrosPerRequest;
    print(`\n${read.name}: ${read.title}; ${Buffer.byteLength(body)} bytes`);
    print(resultTable(contestants));
    print(`gateway / Express: ${ratio.toFixed(2)} (CPU us/request; at most ${MAX_CPU_RATIO} is wanted)`);
    if (redis !== undefined) {
      const answered = served.rounds.reduce((sum, round) => sum + round.answered, 0);
      print(`redis-server: ${(redisMicros / answered).toFixed(1)} CPU us/request beside it`);
    }
    return ratio;
  } finally {
    await Promise.all(contestants.map((contestant) => contestant.stopGenerator()));
    await express.stop();
  }
}

/** A few of them, the first included. */
function spread(paths: readonly string[]): string[] {
  const step = Math.max(1, Math.floor(paths.length / CHECKED));
  return paths.filter((_, index) => index % step === 0).slice(0, CHECKED);
}
