import type { Command } from 'commander';

/** Adds one command, and loads what that needs only when it is run: `tandem --help` and `tandem serve` do not wait for a simulator. */
export type AddCommand = (program: Command) => void;

export const CONFIG = ['--config <file>', 'settings as NAME=value lines; the environment wins over them'] as const;

export const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** Aborted by Ctrl-C, after which a command ends in its own way; a second one ends it at once. */
export function stoppedBySignals(): AbortController {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(130);
      stop.abort();
    });
  }
  return stop;
}

/** What follows the options in a command's help: lines to be typed as they stand, each with what it is for. */
export function examples(...lines: readonly (readonly [command: string, what: string])[]): string {
  return `\nExamples:\n${lines.map(([command, what]) => `  # ${what}\n  ${command}`).join('\n')}`;
}
