import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { examplesOf, isAsOnPage, plain } from './page-examples/examples';
import { outputOf, Shell } from './page-examples/shell';
import { ADMIN_PASSWORD, cleanUp, GatewayProcess, ROOT, temporaryFolder } from './support/gateway-process';

const PAGES = ['provision-devices.md', 'claim-devices.md'];

/** Block by block, in the order of the page. */
describe('The guides', () => {
  let gateway: GatewayProcess;
  beforeAll(async () => {
    gateway = await GatewayProcess.start();
  });
  afterAll(cleanUp);

  it.each(PAGES)('%s prints what stands in it', async (page) => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'home'));
    const shell = new Shell(folder, {
      PATH: process.env.PATH ?? '',
      HOME: join(folder, 'home'),
      TANDEM_HOST: '127.0.0.1',
      HTTP_BIND_PORT: String(gateway.http),
      COAP_BIND_PORT: String(gateway.coap),
      TANDEM_ADMIN_PASSWORD: ADMIN_PASSWORD,
    });
    const examples = examplesOf(readFileSync(join(ROOT, 'docs', 'guides', page), 'utf8'));
    expect(examples.length).toBeGreaterThan(5);
    for (const { commands, output } of examples) {
      const printed = await outputOf(shell.run(commands));
      expect({ commands, printed: isAsOnPage(printed, output) ? output : plain(printed) }).toEqual({
        commands,
        printed: output,
      });
    }
    await shell.close();
  });
});
