import { examplesOn } from './page-examples/examples';
import { shellFor } from './page-examples/gateway-shell';
import { PageRun } from './page-examples/page-run';
import { outputOf } from './page-examples/shell';
import { cleanUp, GatewayProcess } from './support/gateway-process';
import { ServerClient } from './support/server-client';

/** Of which everything can be run at a gateway as it is started. Those with a test of their own need more. */
const PAGES = [
  'docs/guides/first-device-http.md',
  'docs/guides/first-device-coap.md',
  'docs/guides/payload-formats.md',
  'docs/guides/update-firmware.md',
  'docs/guides/provision-devices.md',
  'docs/guides/claim-devices.md',
];
/** What the README has made by the time it points to the guides. */
const TOKEN = 'my-token';
const DEVICE = 'Thermometer';

/** Block by block, in the order of the page. */
describe('The guides', () => {
  let gateway: GatewayProcess;
  let server: ServerClient;
  beforeAll(async () => {
    gateway = await GatewayProcess.start();
    server = await ServerClient.login(gateway.http);
  });
  afterAll(cleanUp);

  it.each(PAGES.map((page) => ({ page, examples: examplesOn(page) })))(
    '$page prints what stands in it',
    async ({ examples }) => {
      const { shell } = shellFor(gateway);
      const made = await server.send('POST', `/api/device?accessToken=${TOKEN}`, { name: DEVICE });
      const device = JSON.parse(made.text).id.id;
      try {
        await outputOf(shell.run(`JWT=${server.jwt} DEVICE=${device}`));
        const run = new PageRun(gateway, shell);
        expect(examples.length).toBeGreaterThan(0);
        for (const example of examples) await run.run(example);
      } finally {
        await shell.close();
        // The next page begins with one that nobody has written to.
        await server.send('DELETE', `/api/device/${device}`);
      }
    },
  );
});
