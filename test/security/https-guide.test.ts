import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { examplesOn } from '../page-examples/examples';
import { shellFor } from '../page-examples/gateway-shell';
import { expectAsOnPage, settingsOn } from '../page-examples/secure-door';
import { outputOf } from '../page-examples/shell';
import { cleanUp, GatewayProcess, ROOT, temporaryFolder } from '../support/gateway-process';

afterAll(cleanUp);

const PAGE = readFileSync(join(ROOT, 'docs', 'guides', 'https.md'), 'utf8');

const [certificates, ...others] = examplesOn('docs/guides/https.md');

it('The guide to HTTPS prints what stands in it', async () => {
  const prepared = shellFor({ http: 0, coap: 0 } as GatewayProcess);
  await outputOf(prepared.shell.run(certificates?.commands ?? ''));
  const gateway = await GatewayProcess.start(settingsOn(PAGE, prepared.folder), join(temporaryFolder(), 'data'));
  await outputOf(prepared.shell.run(`HTTP_BIND_PORT=${gateway.http}`));
  expect(others.length).toBe(5);
  for (const example of others) await expectAsOnPage(prepared.shell, example);
  await prepared.shell.close();
});
