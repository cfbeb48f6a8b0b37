import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { examplesOn } from './page-examples/examples';
import {
  ADMIN_PASSWORD,
  cleanUp,
  GatewayProcess,
  ROOT,
  TandemProcess,
  temporaryFolder,
} from './support/gateway-process';
import { ServerClient } from './support/server-client';

const GUIDE = readFileSync(join(ROOT, 'docs', 'guides', 'import-devices.md'), 'utf8');
/** The n-th block of the guide in a language. */
const block = (language: string, n = 0): string =>
  [...GUIDE.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))][n]?.[1] ?? '';

const [example] = examplesOn('docs/guides/import-devices.md');

let gateway: GatewayProcess;
let folder: string;
beforeAll(async () => {
  gateway = await GatewayProcess.start();
  folder = join(temporaryFolder(), 'place');
  mkdirSync(join(folder, 'data'), { recursive: true });
  writeFileSync(join(folder, 'fleet.csv'), block('csv'));
  writeFileSync(join(folder, 'data', 'initial-admin-password'), `${ADMIN_PASSWORD}\n`);
});
afterAll(cleanUp);

/** The command of the guide, aimed at the gateway of this test. */
async function run(...more: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const [tandem, ...args] = (example?.commands ?? '').replaceAll('\\\n', '').split(/\s+/).filter(Boolean);
  expect(tandem).toBe('tandem');
  const url = `http://127.0.0.1:${gateway.http}`;
  const aimed = args.map((arg) => (arg === 'http://localhost:8080' ? url : arg));
  const command = new TandemProcess([...aimed, ...more], {}, folder);
  const { code } = await command.exit;
  return { code, stdout: command.stdout, stderr: command.stderr };
}

describe('The guide to importing devices', () => {
  it('shows a list and a command that make its devices', async () => {
    expect(await run()).toEqual({ code: 0, stdout: block('text'), stderr: '' });
    const client = await ServerClient.login(gateway.http);
    const { text } = await client.send('GET', '/api/tenant/devices?deviceName=meter-001');
    expect(JSON.parse(text)).toMatchObject({
      type: 'water meter',
      label: 'Cellar, left',
      additionalInfo: { description: 'Building A' },
    });
  });

  it('shows what is told of a token that another device has', async () => {
    writeFileSync(
      join(folder, 'fleet.csv'),
      'name,token\nmeter-005,T-005\nmeter-006,FACTORY-TOKEN-001\nmeter-007,T-007\n',
    );
    expect(await run()).toEqual({ code: 1, stdout: block('text', 1), stderr: '' });
  });

  it('shows a call of the server API and its answer', async () => {
    const client = await ServerClient.login(gateway.http);
    const { text } = await client.send('POST', '/api/device/bulk_import', block('json'));
    expect(JSON.parse(text)).toEqual(JSON.parse(block('json', 1)));
  });
});
