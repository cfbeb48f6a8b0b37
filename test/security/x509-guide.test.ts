import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { examplesOn } from '../page-examples/examples';
import { shellFor } from '../page-examples/gateway-shell';
import { expectAsOnPage, settingsOn } from '../page-examples/secure-door';
import { outputOf } from '../page-examples/shell';
import { ADMIN_PASSWORD, cleanUp, GatewayProcess, ROOT, temporaryFolder } from '../support/gateway-process';

afterAll(cleanUp);

const PAGE = readFileSync(join(ROOT, 'docs', 'guides', 'x509-devices.md'), 'utf8');
const [authority, ...others] = examplesOn('docs/guides/x509-devices.md');

it('The guide to devices with certificates prints what stands in it', async () => {
  const { folder, shell } = shellFor({ http: 0, coap: 0 } as GatewayProcess);
  mkdirSync(join(folder, 'data'));
  writeFileSync(join(folder, 'data', 'initial-admin-password'), `${ADMIN_PASSWORD}\n`);
  await outputOf(shell.run(authority?.commands ?? ''));
  const gateway = await GatewayProcess.start(
    { ...settingsOn(PAGE, folder), TB_TRANSPORT_SSL_CERTIFICATE_RELOAD_CHECK_INTERVAL: '1' },
    join(temporaryFolder(), 'data'),
  );
  await outputOf(
    shell.run(`HTTP_BIND_PORT=${gateway.http} COAP_DTLS_BIND_PORT=${gateway.coaps}
tandem() { '${process.execPath}' '${join(ROOT, 'packages/gateway/bin/tandem.js')}' "$@"; }`),
  );
  for (const example of others) await expectAsOnPage(shell, example);
  await shell.close();
});
