import { spawn } from 'node:child_process';

/** One line in a shell of its own, as somebody has pasted it. */
export class ShellLine {
  stdout = '';
  stderr = '';
  /** How it ended; undefined where it was killed. */
  readonly exit: Promise<number | undefined>;
  readonly #pid: number | undefined;
  #look = () => {};

  constructor(line: string, cwd: string, environment: Readonly<Record<string, string>> = {}) {
    const env = { PATH: process.env.PATH, ...environment };
    // A group of its own: what the shell starts is ended with it.
    const child = spawn('sh', ['-c', line], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    this.#pid = child.pid;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#look();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.exit = new Promise((resolve) => child.once('close', (code) => resolve(code ?? undefined)));
    void this.exit.then(() => this.#look());
  }

  /** Resolves once it has printed this. @throws Error when it ends without */
  async printed(text: string): Promise<void> {
    let over = false;
    void this.exit.then(() => {
      over = true;
    });
    for (;;) {
      if (this.stdout.includes(text)) return;
      if (over) throw new Error(`ended without ${text}: ${this.stdout}${this.stderr}`);
      await new Promise<void>((resolve) => {
        this.#look = resolve;
      });
    }
  }

  async kill(): Promise<void> {
    try {
      if (this.#pid !== undefined) process.kill(-this.#pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
    await this.exit;
  }
}
