import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asOnPage, examplesOf } from './page-examples/examples';
import { shellFor } from './page-examples/gateway-shell';
import { outputOf } from './page-examples/shell';
import { cleanUp, GatewayProcess, ROOT } from './support/gateway-process';

const PAGES = ['provision-devices.md', 'claim-devices.md'];

/** Block by block, in the order of the page. */
describe('The guides', () => {
  let gateway: GatewayProcess;
  beforeAll(async () => {
    gateway = await GatewayProcess.start();
  });
  afterAll(cleanUp);

  it.each(PAGES)('%s prints what stands in it', async (page) => {
    const { shell } = shellFor(gateway);
    const examples = examplesOf(readFileSync(join(ROOT, 'docs', 'guides', page), 'utf8'));
    expect(examples.length).toBeGreaterThan(5);
    for (const { commands, output } of examples) {
      const printed = await outputOf(shell.run(commands));
      expect({ commands, printed: asOnPage(printed, output) }).toEqual({
        commands,
        printed: output,
      });
    }
    await shell.close();
  });
});
