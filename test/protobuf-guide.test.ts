import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Example, examplesOf, isAsOnPage, plain } from './page-examples/examples';
import { outputOf, Shell } from './page-examples/shell';
import { eventually } from './support/eventually';
import { ADMIN_PASSWORD, cleanUp, GatewayProcess, ROOT, temporaryFolder } from './support/gateway-process';

const EXAMPLES = examplesOf(readFileSync(join(ROOT, 'docs', 'guides', 'protobuf.md'), 'utf8'));

/** In the order of the page: each may use what those before it have set and made. */
describe('The guide to protobuf', () => {
  let shell: Shell;
  beforeAll(async () => {
    const gateway = await GatewayProcess.start();
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'home'));
    shell = new Shell(folder, {
      PATH: process.env.PATH ?? '',
      HOME: join(folder, 'home'),
      HTTP_BIND_PORT: String(gateway.http),
      COAP_BIND_PORT: String(gateway.coap),
      TANDEM_ADMIN_PASSWORD: ADMIN_PASSWORD,
    });
  });
  afterAll(async () => {
    await shell?.close();
    await cleanUp();
  });

  it.each(
    EXAMPLES.map((example): [string, Example] => [`${example.heading}: ${example.commands.split('\n')[0]}`, example]),
  )('%s', async (_title, { commands, output, soon }) => {
    const printed = () => outputOf(shell.run(commands));
    if (soon) await eventually(async () => (isAsOnPage(await printed(), output) ? undefined : printed()));
    else expect(asOnPage(await printed(), output)).toBe(output);
  });
});

/** The text of the page where that holds, so that a failure shows both. */
const asOnPage = (printed: string, output: string): string => (isAsOnPage(printed, output) ? output : plain(printed));
