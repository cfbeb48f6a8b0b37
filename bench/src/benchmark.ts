import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Contestant } from './contestant';
import { type Judged, MIN_THROUGHPUT_RATIO, missedLimits } from './limits';
import { generatorConfig } from './load/generator-config';
import { LoadGenerator } from './load/generator-process';
import { benchmarkObservers } from './observers/observers-benchmark';
import { BadOption, type BenchOptions } from './options';
import { ratioLines, resultTable } from './report';
import { startBaseline } from './servers/baseline';
import { GATEWAY_SCRIPT, startGateway } from './servers/gateway';
import type { Protocol, ServerUnderTest } from './servers/server-under-test';
import { soak } from './soak';

const SERVER_CORE = 0;
const GENERATOR_CORE = 1;
/** Between the start of all servers and the sample of their idle memory. */
const IDLE_SECONDS = 5;

const PARSE_ONLY = 'A parse + answer';
const APPENDING = 'B A + lmdb append';

/** The servers of one protocol while they run. */
interface Field {
  readonly baselines: readonly [parseOnly: Contestant, appending: Contestant];
  /** Absent with --baselines. */
  readonly gateway: Contestant | undefined;
  /** The gateway under the load of a soak: from a generator of its own, with more peers. */
  enterSoak(gateway: Contestant): Promise<Contestant>;
}

/** Everything for one protocol: rounds, table, ratios, soak, observers. Returns the limits that are missed. Throws FailedRun. */
export async function benchmark(
  protocol: Protocol,
  options: BenchOptions,
  print: (line: string) => void,
): Promise<string[]> {
  const command = options.baselines ? undefined : gatewayCommand(options);
  const folder = mkdtempSync(path.join(tmpdir(), 'tandem-bench-'));
  const discard = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', discard);
  const started: Contestant[] = [];
  const enter = async (server: ServerUnderTest, home: string, load = options): Promise<Contestant> => {
    const core = options.pin ? GENERATOR_CORE : undefined;
    try {
      const generator = await LoadGenerator.start(generatorConfig(protocol, server, load), home, core);
      const contestant = new Contestant(server, generator, print);
      started.push(contestant);
      return contestant;
    } catch (error) {
      await server.stop();
      throw error;
    }
  };
  const homeOf = (name: string): string => {
    const home = path.join(folder, name);
    mkdirSync(home);
    return home;
  };
  const shared = { protocol, devices: options.devices, core: options.pin ? SERVER_CORE : undefined };
  const baseline = async (name: string, append: boolean): Promise<Contestant> => {
    const home = homeOf(append ? 'b' : 'a');
    const args = append ? ['lmdb', path.join(home, 'log'), options.flush ? 'flush' : 'no-flush'] : [];
    return enter(await startBaseline({ ...shared, script: `${protocol}-baseline`, name, args, folder: home }), home);
  };
  try {
    const field: Field = {
      baselines: [await baseline(PARSE_ONLY, false), await baseline(APPENDING, true)],
      gateway: command && (await enterGateway(command)),
      enterSoak: ({ server }) => enter(server, homeOf('soak'), { ...options, peers: options.soakPeers }),
    };
    const judged = await measure(field, protocol, options, print);
    const observed =
      protocol === 'coap' && command !== undefined
        ? await benchmarkObservers({
            ...options,
            command,
            folder: homeOf('observers'),
            parseOnly: field.baselines[0],
            print,
          })
        : undefined;
    const missed = missedLimits(protocol, { ...judged, ...observed });
    await stopAll();
    discard();
    return missed;
  } catch (error) {
    await stopAll();
    process.off('exit', discard);
    print(`what the servers wrote is in ${folder}`);
    throw error;
  }

  async function stopAll(): Promise<void> {
    await Promise.all(started.map((contestant) => contestant.stop()));
  }

  async function enterGateway(line: readonly string[]): Promise<Contestant> {
    const home = homeOf('gateway');
    return enter(await startGateway({ ...shared, command: line, folder: home }), home);
  }
}

async function measure(
  field: Field,
  protocol: Protocol,
  options: BenchOptions,
  print: (line: string) => void,
): Promise<Judged> {
  const { gateway } = field;
  const contestants = gateway === undefined ? [...field.baselines] : [...field.baselines, gateway];
  await delay(IDLE_SECONDS * 1000);
  for (const contestant of contestants) {
    contestant.idleBytes = contestant.anonymousBytes;
  }

  let throughputRatio: number | undefined;
  if (options.rounds > 0) {
    await runRounds(contestants, options, print);
    print(`\n${protocol}: ${describe(protocol, options)}; medians of ${options.rounds} x ${options.seconds} s`);
    print(resultTable(contestants));
    if (gateway !== undefined) {
      const [parseOnly, appending] = field.baselines.map((contestant) => contestant.summary());
      if (parseOnly !== undefined && appending !== undefined) {
        print(ratioLines(gateway.summary(), parseOnly, appending, MIN_THROUGHPUT_RATIO[protocol]));
        throughputRatio = gateway.summary().requestsPerSecond / appending.requestsPerSecond;
      }
    }
  }
  const growthPercent = gateway && (await soakGrowth(gateway, field, options.soak[protocol], print));
  return { throughputRatio, idleBytes: gateway?.idleBytes, growthPercent };
}

/** Percent; undefined without a soak. */
async function soakGrowth(
  gateway: Contestant,
  field: Field,
  seconds: number,
  print: (line: string) => void,
): Promise<number | undefined> {
  if (seconds === 0) return undefined;
  const contestant = await field.enterSoak(gateway);
  contestant.idleBytes = gateway.idleBytes;
  const { percent } = await soak(contestant, seconds, print);
  await contestant.stopGenerator();
  return percent;
}

/** Interleaved, so that a slow minute of the machine meets all servers alike. */
async function runRounds(
  contestants: readonly Contestant[],
  options: BenchOptions,
  print: (line: string) => void,
): Promise<void> {
  for (const contestant of contestants) {
    await contestant.load(options.warmup);
    contestant.warmBytes = contestant.anonymousBytes;
  }
  for (let number = 1; number <= options.rounds; number += 1) {
    for (const contestant of contestants) {
      const round = await contestant.load(options.seconds);
      contestant.rounds.push(round);
      contestant.endBytes = contestant.anonymousBytes;
      const speed = `${Math.round(round.requestsPerSecond)} requests/s`;
      print(
        `round ${number}, ${contestant.server.name}: ${speed}, ${round.cpuMicrosPerRequest.toFixed(1)} us CPU each`,
      );
    }
  }
}

function describe(protocol: Protocol, options: BenchOptions): string {
  const load =
    protocol === 'http'
      ? `${options.connections} keep-alive connections`
      : `${options.peers} peers with CON messages, ${Math.min(options.window, options.peers)} outstanding`;
  return `${load}, ${options.devices} devices${options.pin ? ', pinned' : ''}`;
}

export function gatewayCommand(options: BenchOptions): string[] {
  if (options.gateway !== undefined) {
    return options.gateway.split(' ').filter((word) => word !== '');
  }
  if (!existsSync(GATEWAY_SCRIPT)) {
    throw new BadOption(`there is no ${GATEWAY_SCRIPT}; --baselines measures without the gateway`);
  }
  return [process.execPath, GATEWAY_SCRIPT, 'serve'];
}
