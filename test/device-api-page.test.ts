import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Example, examplesOf, examplesOn, isAsOnPage, titleOf } from './page-examples/examples';
import { shellFor } from './page-examples/gateway-shell';
import { PageRun } from './page-examples/page-run';
import type { Shell } from './page-examples/shell';
import { cleanUp, GatewayProcess, ROOT } from './support/gateway-process';

const EXAMPLES = examplesOn('docs/reference/device-api.md');

/** In the order of the page: each may use what those before it have set and made. */
describe('The page of the device API', () => {
  let shell: Shell;
  let run: PageRun;

  beforeAll(async () => {
    const gateway = await GatewayProcess.start();
    const made = shellFor(gateway, `${join(ROOT, 'node_modules', '.bin')}:${process.env.PATH}`);
    shell = made.shell;
    run = new PageRun(gateway, shell);
    // As somebody has it who is in the folder of the sources.
    symlinkSync(join(ROOT, 'proto'), join(made.folder, 'proto'));
  });
  afterAll(async () => {
    await shell?.close();
    await cleanUp();
  });

  it.each(EXAMPLES.map((example): [string, Example] => [titleOf(example), example]))('%s', (_title, example) =>
    run.run(example),
  );
});

describe('The examples of a page', () => {
  const page = [
    '## First',
    '```sh',
    'echo a',
    '```',
    '',
    '```text',
    'a...',
    '```',
    'Words.',
    '```sh waits',
    'true',
    '```',
    '',
    'More.',
    '```json',
    '{}',
    '```',
  ].join('\n');

  it('are its sh blocks with the text block right behind, if any', () => {
    expect(examplesOf(`${page}\n`)).toEqual([
      { heading: 'First', commands: 'echo a\n', output: 'a...', waits: false, soon: false, runs: false },
      { heading: 'First', commands: 'true\n', output: '', waits: true, soon: false, runs: false },
    ]);
  });

  it('hold where all is printed that stands there, and nothing else', () => {
    expect(isAsOnPage('\u001b[1m(2.01)\u001b[0m\n', '(2.01)')).toBe(true);
    expect(isAsOnPage('{"time":"now"}', '{"time":"..."}')).toBe(true);
    for (const other of ['(2.01) x', '(2X01)', '(2.01)\n(2.01)']) expect(isAsOnPage(other, '(2.01)')).toBe(false);
  });
});
