import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Longer than anything an example takes, shorter than a test. */
const PATIENCE = 20_000;
const LOOK_EVERY = 20;

/** What an example prints, while it does. */
export interface Running {
  readonly printed: () => string;
  /** Resolves when it has ended by itself. */
  readonly ended: Promise<void>;
}

/** One bash in a folder, as somebody has it who pastes the blocks of a page into a terminal one after the other. */
export class Shell {
  readonly #bash: ChildProcessWithoutNullStreams;
  #blocks = 0;
  #ends = new Map<string, () => void>();

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
      for (const name of said.match(/^end-\d+$/gm) ?? []) this.#ends.get(name)?.();
    });
    this.#bash.stdin.on('error', () => {});
  }

  /** Runs a block in the shell itself: what it sets is there for the next. */
  run(commands: string): Running {
    return this.#start(commands, (block) => `. ${block}`);
  }

  /** Runs it beside the shell, with a copy of what is set there. */
  runBeside(commands: string): Running {
    return this.#start(commands, (block) => `( . ${block}`, ' ) &');
  }

  async close(): Promise<void> {
    const closed = once(this.#bash, 'exit');
    process.kill(-(this.#bash.pid ?? 0), 'SIGKILL');
    await closed;
  }

  #start(commands: string, begin: (block: string) => string, end = ''): Running {
    const name = `end-${this.#blocks++}`;
    const block = join(this.folder, 'blocks', name);
    const output = `${block}.out`;
    writeFileSync(block, commands);
    // It is there for those who look before the shell has come to it.
    openSync(output, 'w');
    const ended = new Promise<void>((resolve) => this.#ends.set(name, resolve));
    this.#bash.stdin.write(`${begin(block)} </dev/null >${output} 2>&1; echo ${name}${end}\n`);
    return { printed: () => readFileSync(output, 'utf8'), ended };
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
