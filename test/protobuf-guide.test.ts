import { asOnPage, type Example, examplesOn, isAsOnPage } from './page-examples/examples';
import { shellFor } from './page-examples/gateway-shell';
import { outputOf, type Shell } from './page-examples/shell';
import { eventually } from './support/eventually';
import { cleanUp, GatewayProcess } from './support/gateway-process';

const EXAMPLES = examplesOn('docs/guides/protobuf.md');

/** In the order of the page: each may use what those before it have set and made. */
describe('The guide to protobuf', () => {
  let shell: Shell;
  beforeAll(async () => {
    shell = shellFor(await GatewayProcess.start()).shell;
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
