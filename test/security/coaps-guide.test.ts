import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { examplesOn } from '../page-examples/examples';
import { shellFor } from '../page-examples/gateway-shell';
import { expectAsOnPage, settingsOn } from '../page-examples/secure-door';
import { outputOf } from '../page-examples/shell';
import { cleanUp, GatewayProcess, ROOT, temporaryFolder } from '../support/gateway-process';

afterAll(cleanUp);

const PAGE = readFileSync(join(ROOT, 'docs', 'guides', 'coaps.md'), 'utf8');

const [certificates, ...others] = examplesOn('docs/guides/coaps.md');

it('The guide to CoAP over DTLS prints what stands in it', async () => {
  const { folder, shell } = shellFor({ http: 0, coap: 0 } as GatewayProcess);
  await outputOf(shell.run(certificates?.commands ?? ''));
  const gateway = await GatewayProcess.start(
    { ...settingsOn(PAGE, folder), COAP_DTLS_BIND_ADDRESS: '127.0.0.1', COAP_DTLS_BIND_PORT: '0' },
    join(temporaryFolder(), 'data'),
  );
  const { coaps } = await gateway.logged('ready');
  await outputOf(shell.run(`HTTP_BIND_PORT=${gateway.http} COAP_DTLS_BIND_PORT=${coaps}`));
  expect(others.length).toBe(8);
  for (const example of others) await expectAsOnPage(shell, example);
  await shell.close();
});
