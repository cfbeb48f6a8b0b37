import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asOnPage, examplesOf, isAsOnPage } from '../page-examples/examples';
import { shellFor } from '../page-examples/gateway-shell';
import { outputOf } from '../page-examples/shell';
import { eventually } from '../support/eventually';
import { cleanUp, GatewayProcess, ROOT, temporaryFolder } from '../support/gateway-process';

afterAll(cleanUp);

const PAGE = readFileSync(join(ROOT, 'docs', 'guides', 'https.md'), 'utf8');

/** The first lines `NAME=value` of the page; what are files in the folder is named by the whole path. */
function settings(folder: string): Record<string, string> {
  const [, lines = ''] = /^```properties\n([\s\S]*?)^```$/m.exec(PAGE) ?? [];
  const pairs = lines
    .trim()
    .split('\n')
    .map((line) => line.split('=') as [string, string]);
  return Object.fromEntries(
    pairs.map(([name, value]) => [name, existsSync(join(folder, value)) ? join(folder, value) : value]),
  );
}

it('The guide to HTTPS prints what stands in it', async () => {
  const [certificates, ...others] = examplesOf(PAGE);
  const prepared = shellFor({ http: 0, coap: 0 } as GatewayProcess);
  await outputOf(prepared.shell.run(certificates?.commands ?? ''));
  const gateway = await GatewayProcess.start(settings(prepared.folder), join(temporaryFolder(), 'data'));
  const run = (commands: string) => outputOf(prepared.shell.run(commands));
  await run(`HTTP_BIND_PORT=${gateway.http}`);
  expect(others.length).toBe(5);
  for (const { commands, output, soon } of others) {
    let printed = await run(commands);
    if (soon) {
      await eventually(async () => {
        if (isAsOnPage(printed, output)) return undefined;
        printed = await run(commands);
        return printed;
      });
    }
    expect({ commands, printed: asOnPage(printed, output) }).toEqual({ commands, printed: output });
  }
  await prepared.shell.close();
});
