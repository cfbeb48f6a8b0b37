import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Environment, ROOT } from './gateway-process';

const CONSUMER = join(ROOT, 'examples', 'telemetry-consumer', 'consumer.mjs');

/** Where consumers hand messages over: one file that all of them append to, so that its order is that of all together. */
export class SinkFile {
  constructor(readonly path: string) {}

  /**
   * Whole lines. Of one that a killed process has not written to its end, what the next one wrote behind it counts: the
   * message itself was not acknowledged.
   */
  get lines(): string[] {
    const text = readFileSync(this.path, 'utf8');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
    return whole.filter(Boolean).map((line) => line.slice(line.lastIndexOf('{"id":"')));
  }

  get messages(): SunkMessage[] {
    return this.lines.map((line) => JSON.parse(line) as SunkMessage);
  }
}

export interface SunkMessage {
  readonly id: string;
  readonly partition: number;
  readonly device: string;
  readonly records: readonly { readonly ts: number; readonly values: Readonly<Record<string, unknown>> }[];
}

/** A process of examples/telemetry-consumer. */
export class ConsumerProcess {
  static readonly #all = new Set<ConsumerProcess>();
  readonly #child: ChildProcess;
  stderr = '';

  constructor(
    readonly name: string,
    sink: SinkFile,
    settings: Environment,
  ) {
    const stdout = openSync(sink.path, 'a');
    this.#child = spawn(process.execPath, [CONSUMER], {
      env: { PATH: process.env.PATH, CONSUMER_NAME: name, ...settings },
      stdio: ['ignore', stdout, 'pipe'],
    });
    closeSync(stdout);
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    ConsumerProcess.#all.add(this);
  }

  /** Resolves with its exit code, null where the signal has ended it. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    ConsumerProcess.#all.delete(this);
    if (this.#child.exitCode !== null) return this.#child.exitCode;
    const exited = once(this.#child, 'exit');
    this.#child.kill(signal);
    const [code] = (await exited) as [number | null];
    return code;
  }

  /** To be called after each test: nothing of it runs on. */
  static async endAll(): Promise<void> {
    await Promise.all([...ConsumerProcess.#all].map((consumer) => consumer.end('SIGKILL')));
  }
}
