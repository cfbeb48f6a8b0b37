import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { asOnPage, type Example, examplesOf, isAsOnPage } from './page-examples/examples';
import { shellFor } from './page-examples/gateway-shell';
import { outputOf, type Running, type Shell } from './page-examples/shell';
import { eventually } from './support/eventually';
import { cleanUp, GatewayProcess, ROOT } from './support/gateway-process';

const PAGE = join(ROOT, 'docs', 'reference', 'device-api.md');
const EXAMPLES = examplesOf(readFileSync(PAGE, 'utf8'));

/** In the order of the page: each may use what those before it have set and made. */
describe('The page of the device API', () => {
  let gateway: GatewayProcess;
  let shell: Shell;
  /** What waits for the next block. */
  let waiting: Waiting | undefined;

  beforeAll(async () => {
    gateway = await GatewayProcess.start();
    const made = shellFor(gateway, `${join(ROOT, 'node_modules', '.bin')}:${process.env.PATH}`);
    shell = made.shell;
    // As somebody has it who is in the folder of the sources.
    symlinkSync(join(ROOT, 'proto'), join(made.folder, 'proto'));
  });
  afterAll(async () => {
    await shell?.close();
    await cleanUp();
  });

  it.each(EXAMPLES.map((example): [string, Example] => [titleOf(example), example]))('%s', async (_title, example) => {
    const before = waiting;
    if (example.waits) {
      waiting = await begin(example);
    } else {
      waiting = undefined;
      const run = async () => asOnPage(await outputOf(shell.run(example.commands)), example.output);
      if (example.soon) await eventually(async () => ((await run()) === example.output ? undefined : run()));
      else expect(await run()).toBe(example.output);
    }
    if (before === undefined) return;
    const { running, example: earlier } = before;
    const printed = await outputOf(running, (text) => isAsOnPage(text, earlier.output));
    expect(asOnPage(printed, earlier.output)).toBe(earlier.output);
  });

  /** Resolves when the gateway knows that it waits; behind one that waits already, that is known by what this one prints. */
  async function begin(example: Example): Promise<Waiting> {
    const what = example.commands.startsWith('curl') ? 'tandem_http_open_polls' : 'tandem_coap_observations';
    const known = await gateway.metric(what);
    const running = shell.runBeside(example.commands);
    if (waiting === undefined) await gateway.settled(what, known + 1);
    return { running, example };
  }
});

interface Waiting {
  readonly running: Running;
  readonly example: Example;
}

function titleOf({ heading, commands, waits }: Example): string {
  return `${heading}: ${waits ? 'waits for the next, ' : ''}${commands.split('\n')[0]?.slice(0, 80)}`;
}

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
      { heading: 'First', commands: 'echo a\n', output: 'a...', waits: false, soon: false },
      { heading: 'First', commands: 'true\n', output: '', waits: true, soon: false },
    ]);
  });

  it('hold where all is printed that stands there, and nothing else', () => {
    expect(isAsOnPage('\u001b[1m(2.01)\u001b[0m\n', '(2.01)')).toBe(true);
    expect(isAsOnPage('{"time":"now"}', '{"time":"..."}')).toBe(true);
    for (const other of ['(2.01) x', '(2X01)', '(2.01)\n(2.01)']) expect(isAsOnPage(other, '(2.01)')).toBe(false);
  });
});
