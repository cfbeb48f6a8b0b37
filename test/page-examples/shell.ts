import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/eventually';

/** Longer than anything an example takes, shorter than a test. */
const PATIENCE = 20_000;
const LOOK_EVERY = 20;

/** What an example prints, while it does. */
export interface Running {
  readonly printed: () => string;
  /** Resolves when it has ended by itself. */
  readonly ended: Promise<void>;
}

/** One that does not hold up the shell. */
export interface RunningBeside extends Running {
  /** Ends it with all it has started, as Ctrl-C does, and resolves when that has happened. */
  end(): Promise<void>;
}

/** One bash in a folder, as somebody has it who pastes the blocks of a page into a terminal one after the other. */
export class Shell {
  readonly #bash: ChildProcessWithoutNullStreams;
  #blocks = 0;
  #ends = new Map<string, () => void>();
  /** Process groups of what runs beside it, by block. */
  #groups = new Map<string, number>();

  constructor(
    private readonly folder: string,
    environment: Readonly<Record<string, string>>,
  ) {
    mkdirSync(join(folder, 'blocks'), { recursive: true });
    // A process group of its own, so that what waits in the background ends with it.
    this.#bash = spawn('bash', ['--norc'], { cwd: folder, env: environment, detached: true, stdio: 'pipe' });
    let said = '';
    this.#bash.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      for (const [, name = '', group] of said.matchAll(/^group of (end-\d+): (\d+)$/gm))
        this.#groups.set(name, Number(group));
      for (const name of said.match(/^end-\d+$/gm) ?? []) this.#ends.get(name)?.();
    });
    this.#bash.stdin.on('error', () => {});
  }

  /** Runs a block in the shell itself: what it sets is there for the next. */
  run(commands: string): Running {
    return this.#start(commands, (block) => `. ${block}`).running;
  }

  /** Runs it beside the shell, with a copy of what is set there, in a process group of its own. */
  runBeside(commands: string): RunningBeside {
    const { name, running } = this.#start(
      commands,
      (block) => `set -m\n( . ${block}`,
      (name) => ` ) &\nset +m\necho "group of ${name}: $!"`,
    );
    return { ...running, end: () => this.#end(name) };
  }

  async close(): Promise<void> {
    const closed = once(this.#bash, 'exit');
    for (const group of [...this.#groups.values(), this.#bash.pid ?? 0]) signal(group, 'SIGKILL');
    await closed;
  }

  async #end(name: string): Promise<void> {
    await eventually(() => (this.#groups.has(name) ? undefined : `${name} has not begun`));
    const group = this.#groups.get(name) ?? 0;
    signal(group, 'SIGTERM');
    await eventually(() => (signal(group, 0) ? `${name} goes on` : undefined));
  }

  #start(
    commands: string,
    begin: (block: string) => string,
    end: (name: string) => string = () => '',
  ): { readonly name: string; readonly running: Running } {
    const name = `end-${this.#blocks++}`;
    const block = join(this.folder, 'blocks', name);
    const output = `${block}.out`;
    writeFileSync(block, commands);
    // It is there for those who look before the shell has come to it.
    openSync(output, 'w');
    const ended = new Promise<void>((resolve) => this.#ends.set(name, resolve));
    this.#bash.stdin.write(`${begin(block)} </dev/null >${output} 2>&1; echo ${name}${end(name)}\n`);
    return { name, running: { printed: () => readFileSync(output, 'utf8'), ended } };
  }
}

/** @returns whether there is such a process group */
function signal(group: number, what: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, what);
    return true;
  } catch {
    return false;
  }
}

/** Resolves when the block has ended, or prints what `enough` waits for; then it may go on, and is not waited for. */
export async function outputOf({ printed, ended }: Running, enough?: (printed: string) => boolean): Promise<string> {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  const deadline = Date.now() + PATIENCE;
  while (!over && !enough?.(printed()) && Date.now() < deadline) {
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, LOOK_EVERY))]);
  }
  return printed();
}
