import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** The gateway promises to be gone 10 s after SIGTERM. */
const STOP_LIMIT_MS = 12_000;
const LOG_TAIL_LINES = 20;

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Takes stdout and stderr. */
  readonly logFile: string;
  /** Core the process is bound to by taskset; undefined: any. */
  readonly core: number | undefined;
  /** Whether it talks to the bench over IPC: our own processes do, a gateway runs as it does in service. */
  readonly ipc: boolean;
}

const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) {
    child.kill('SIGKILL');
  }
});

/** A child process of the bench; it is killed when the bench ends early. */
export class Child {
  readonly process: ChildProcess;

  constructor(private readonly options: ChildOptions) {
    const line = [options.command, ...options.args];
    const [command = '', ...args] =
      options.core === undefined ? line : ['taskset', '--cpu-list', String(options.core), ...line];
    const log = openSync(options.logFile, 'a');
    this.process = spawn(command, args, {
      env: options.env,
      stdio: ['ignore', log, log, ...(options.ipc ? ['ipc' as const] : [])],
    });
    closeSync(log);
    alive.add(this.process);
    this.process.once('exit', () => alive.delete(this.process));
    this.process.once('error', () => alive.delete(this.process));
  }

  /** taskset replaces itself by the command, so this is the server's own id also when it is pinned. */
  get pid(): number {
    if (this.process.pid === undefined) {
      throw new Error(`${this.options.command} could not be started`);
    }
    return this.process.pid;
  }

  private get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** Next IPC message. Rejects with the end of the log when the process ends instead. */
  async message(): Promise<unknown> {
    const abort = new AbortController();
    try {
      return await Promise.race([
        once(this.process, 'message', { signal: abort.signal }).then(([message]: unknown[]) => message),
        once(this.process, 'exit', { signal: abort.signal }).then(() => {
          throw this.ended();
        }),
      ]);
    } finally {
      abort.abort();
    }
  }

  /** How the process ended and what it wrote last; undefined while it runs. */
  ended(): Error | undefined {
    if (this.running) {
      return undefined;
    }
    const { exitCode, signalCode } = this.process;
    const tail = readFileSync(this.options.logFile, 'utf8').trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
    const line = [this.options.command, ...this.options.args].join(' ');
    return new Error(`${line} ended with ${signalCode ?? `exit code ${exitCode}`}; its last words:\n${tail}`);
  }

  async stop(): Promise<void> {
    if (!this.running) {
      return;
    }
    const exited = once(this.process, 'exit');
    const kill = setTimeout(() => this.process.kill('SIGKILL'), STOP_LIMIT_MS);
    this.process.kill('SIGTERM');
    await exited;
    clearTimeout(kill);
  }
}
