import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';

/** Longer than anything a test waits for, shorter than a test. */
const PATIENCE = 20_000;

const running = new Set<Tool>();

/** To be called after each test: what it has left running ends. */
export function endTools(): Promise<unknown> {
  return Promise.all([...running].map((tool) => tool.end()));
}

/** A client program that runs on its own. */
export class Tool {
  /** All it has written, to both. */
  output = '';
  readonly exited: Promise<unknown>;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #watchers = new Set<() => void>();

  constructor(command: string, ...args: readonly string[]) {
    this.#process = spawn(command, args);
    running.add(this);
    const take = (piece: string) => {
      this.output += piece;
      for (const look of [...this.#watchers]) look();
    };
    this.#process.stdout.setEncoding('utf8').on('data', take);
    this.#process.stderr.setEncoding('utf8').on('data', take);
    // It may end before it has read all.
    this.#process.stdin.on('error', () => {});
    // `close` and not `exit`: only then all it wrote has been read.
    this.exited = once(this.#process, 'close').finally(() => running.delete(this));
  }

  /** Resolves when it has written that. */
  shows(wanted: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        act();
      };
      const look = () => this.output.includes(wanted) && settle(resolve);
      const timer = setTimeout(
        () => settle(() => reject(new Error(`no "${wanted.slice(0, 80)}" in: ${this.output.slice(0, 2_000)}`))),
        PATIENCE,
      );
      this.#watchers.add(look);
      look();
    });
  }

  /** Writes to its standard input and closes it. */
  write(input: string): void {
    this.#process.stdin.end(input);
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  end(): Promise<unknown> {
    this.#process.kill('SIGKILL');
    return this.exited;
  }
}

/** Runs a client program to its end. @returns all it has written, to both, without white space around it */
export async function run(command: string, ...args: readonly string[]): Promise<string> {
  const tool = new Tool(command, ...args);
  const timer = setTimeout(() => void tool.end(), PATIENCE);
  await tool.exited;
  clearTimeout(timer);
  return tool.output.trim();
}
