import type { RunResult } from './load/generator-messages';
import type { LoadGenerator } from './load/generator-process';
import { median } from './measure/median';
import { anonymousBytesOf, cpuMicrosOf } from './measure/process-usage';
import { untilQuiet } from './measure/quiet';
import type { ServerUnderTest } from './servers/server-under-test';

/** Seconds of load at the start of each run that are not counted: connections open, both sides reach their speed. */
const RAMP_SECONDS = 1;

export interface Round extends RunResult {
  /** All threads of the server, from before the first request until it is quiet again, per successful request. */
  readonly cpuMicrosPerRequest: number;
}

/** Medians over the rounds. */
export interface Summary {
  readonly requestsPerSecond: number;
  readonly cpuMicrosPerRequest: number;
  readonly p50Micros: number;
  readonly p99Micros: number;
  readonly generatorBusy: number;
  readonly retransmissions: number;
}

/** A load run that does not count: something was answered wrongly, or not at all. */
export class FailedRun extends Error {
  override readonly name = 'FailedRun';
}

/** A server and the generator that loads it, and nobody else. */
export class Contestant {
  readonly rounds: Round[] = [];
  idleBytes = 0;
  warmBytes = 0;
  endBytes = 0;

  constructor(
    readonly server: ServerUnderTest,
    private readonly generator: LoadGenerator,
    private readonly print: (line: string) => void,
  ) {}

  /** Anonymous memory of the server at this moment. Throws when it has ended. */
  get anonymousBytes(): number {
    this.assertRunning();
    return anonymousBytesOf(this.server.pid);
  }

  /** Loads the server. Throws FailedRun when any answer was not a success, another error when the server has ended. */
  async load(seconds: number): Promise<Round> {
    const { name, pid } = this.server;
    const cpuBefore = cpuMicrosOf(pid);
    const result = await this.generator.run({ rampSeconds: RAMP_SECONDS, seconds });
    this.assertRunning();
    if (!(await untilQuiet(pid))) {
      this.print(`note: ${name} is still working 30 s after the load ended`);
    }
    assertAllAnswered(name, result);
    return { ...result, cpuMicrosPerRequest: (cpuMicrosOf(pid) - cpuBefore) / result.answered };
  }

  private assertRunning(): void {
    const ended = this.server.ended();
    if (ended !== undefined) {
      throw ended;
    }
  }

  summary(): Summary {
    const of = (name: keyof Summary): number => median(this.rounds.map((round) => round[name]));
    return {
      requestsPerSecond: of('requestsPerSecond'),
      cpuMicrosPerRequest: of('cpuMicrosPerRequest'),
      p50Micros: of('p50Micros'),
      p99Micros: of('p99Micros'),
      generatorBusy: of('generatorBusy'),
      retransmissions: this.rounds.reduce((sum, round) => sum + round.retransmissions, 0),
    };
  }

  async stop(): Promise<void> {
    await this.stopGenerator();
    await this.server.stop();
  }

  /** The server goes on. */
  stopGenerator(): Promise<void> {
    return this.generator.stop();
  }
}

/** Throws FailedRun when a run has a failure, or no success. */
export function assertAllAnswered(name: string, result: Pick<RunResult, 'answered' | 'failures'>): void {
  const failures = Object.entries(result.failures).map(([kind, count]) => `${count} x ${kind}`);
  if (failures.length > 0) {
    throw new FailedRun(`${name}: not every request succeeded: ${failures.join(', ')} (${result.answered} successes)`);
  }
  if (result.answered === 0) {
    throw new FailedRun(`${name}: not one request was answered`);
  }
}
