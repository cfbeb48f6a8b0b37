import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/eventually';
import { asOnPage, type Example, isAsOnPage } from './examples';
import { outputOf, type Shell } from './shell';

/** The first lines `NAME=value` of a page; what are files in the folder is named by the whole path. */
export function settingsOn(page: string, folder: string): Record<string, string> {
  const [, lines = ''] = /^```env\n([\s\S]*?)^```$/m.exec(page) ?? [];
  const pairs = lines
    .trim()
    .split('\n')
    .map((line) => line.split('=') as [string, string]);
  return Object.fromEntries(
    pairs.map(([name, value]) => [name, existsSync(join(folder, value)) ? join(folder, value) : value]),
  );
}

/** Runs an example; `sh soon` until it prints what stands on the page. */
export async function expectAsOnPage(shell: Shell, { commands, output, soon }: Example): Promise<void> {
  const run = () => outputOf(shell.run(commands));
  let printed = await run();
  if (soon) {
    await eventually(async () => {
      if (isAsOnPage(printed, output)) return undefined;
      printed = await run();
      return printed;
    });
  }
  expect({ commands, printed: asOnPage(printed, output) }).toEqual({ commands, printed: output });
}
