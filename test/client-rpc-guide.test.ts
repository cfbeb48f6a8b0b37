import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { examplesOn } from './page-examples/examples';
import { type GatewayShell, shellFor } from './page-examples/gateway-shell';
import { PageRun } from './page-examples/page-run';
import { freeTcpPort } from './support/free-port';
import { cleanUp, GatewayProcess, ROOT } from './support/gateway-process';
import { ServerClient } from './support/server-client';

const PAGE = readFileSync(join(ROOT, 'docs', 'guides', 'client-side-rpc.md'), 'utf8');
const [asked, started, called] = examplesOn('docs/guides/client-side-rpc.md');
const WEBHOOK = /^```js\n([\s\S]*?)^```$/m.exec(PAGE)?.[1] ?? '';
const WEBHOOK_PORT = '8090';

afterAll(cleanUp);

/** Its second block starts the webhook and the gateway: here on ports of their own, so the lines are taken apart. */
it('The guide to client-side RPC shows a webhook that answers devices', async () => {
  const [webhook = '', start = ''] = started?.commands.split('\n') ?? [];
  const [, url = ''] = /^TANDEM_RPC_WEBHOOK_URL=(\S+) npm start$/.exec(start) ?? [];
  const port = String(await freeTcpPort());
  const gateway = await GatewayProcess.start({ TANDEM_RPC_WEBHOOK_URL: url.replace(WEBHOOK_PORT, port) });
  const server = await ServerClient.login(gateway.http);
  await server.createDevice('my-token');
  const { shell, folder }: GatewayShell = shellFor(gateway);
  writeFileSync(join(folder, 'webhook.js'), WEBHOOK.replace(WEBHOOK_PORT, port));
  const run = new PageRun(gateway, shell);
  expect(webhook).toBe('node webhook.js &');
  await run.run(soon(asked));
  await run.run({ heading: '', commands: `${webhook}\n`, output: '', waits: false, soon: false, runs: false });
  // Until it listens the gateway answers that it is out of reach.
  await run.run(soon(called));
  await shell.close();
});

function soon(example: ReturnType<typeof examplesOn>[number] | undefined) {
  if (example === undefined) throw new Error('the page has three blocks');
  return { ...example, soon: true };
}
