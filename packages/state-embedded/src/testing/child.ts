import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A script of this folder in a process of its own. */
export class Child {
  readonly #process: ChildProcess;
  readonly #lines: string[] = [];
  readonly #ended: Promise<void>;
  #heard: (() => void) | undefined;
  #over = false;

  constructor(script: string, ...given: string[]) {
    this.#process = spawn(process.execPath, [join(__dirname, script), ...given], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { stdout } = this.#process;
    if (!stdout) throw new Error('the child has no output');
    const lines = createInterface({ input: stdout });
    lines.on('line', (line) => {
      this.#lines.push(line);
      this.#heard?.();
    });
    this.#ended = new Promise((resolve) => {
      lines.on('close', () => {
        this.#over = true;
        this.#heard?.();
        resolve();
      });
    });
  }

  /** What it has printed, once that is so many lines, or all of it when it ends before. */
  async lines(count: number): Promise<readonly string[]> {
    while (this.#lines.length < count && !this.#over) {
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
    return this.#lines;
  }

  /** kill -9. @returns all it had printed */
  async kill(): Promise<readonly string[]> {
    this.#process.kill('SIGKILL');
    return this.output();
  }

  /** Resolves with all it has printed when it has ended. */
  async output(): Promise<readonly string[]> {
    const exited = this.#process.exitCode ?? this.#process.signalCode;
    if (exited === null) await new Promise((resolve) => this.#process.once('exit', resolve));
    await this.#ended;
    return this.#lines;
  }
}
