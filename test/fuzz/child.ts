import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../support/gateway-process';

const children = new Set<ChildProcess>();

/** A TypeScript program of this folder in a process of its own, and the newest of its reports. */
export class Child<Report extends { readonly done: boolean }> {
  report: Report | undefined;
  /** Resolves when it says that it is done; rejects when it ends before. */
  readonly done: Promise<void>;
  readonly #child: ChildProcess;

  constructor(file: string, order: unknown) {
    const child = fork(join(__dirname, file), [JSON.stringify(order)], {
      cwd: ROOT,
      execArgv: ['--require', 'esbuild-register'],
    });
    this.#child = child;
    children.add(child);
    this.done = new Promise((resolve, reject) => {
      child.on('message', (report) => {
        this.report = report as Report;
        if (this.report.done) resolve();
      });
      child.once('exit', (code, signal) => {
        children.delete(child);
        reject(new Error(`${file} ended with ${code ?? signal}`));
      });
    });
    // Whoever waits for it hears of it all the same.
    this.done.catch(() => {});
  }

  stop(): Promise<void> {
    if (!children.has(this.#child)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.kill('SIGKILL');
    });
  }
}
