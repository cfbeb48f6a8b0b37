import { execFile, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeProgram } from '../packages/gateway/src/commands/program';
import { asOnPage, examplesOn } from './page-examples/examples';
import { aimedAt } from './page-examples/page-run';
import { outputOf, Shell } from './page-examples/shell';
import {
  ADMIN_PASSWORD,
  cleanUp,
  GatewayProcess,
  ROOT,
  TandemProcess,
  temporaryFolder,
} from './support/gateway-process';
import { ServerClient } from './support/server-client';

/** Of a token and a profile that examples speak of. */
const TOKEN = 'my-token';
const FLEET = {
  name: 'Fleet',
  type: 'DEFAULT',
  transportType: 'DEFAULT',
  provisionType: 'ALLOW_CREATE_NEW_DEVICES',
  provisionDeviceKey: 'fleet-key',
  profileData: {
    provisionConfiguration: { type: 'ALLOW_CREATE_NEW_DEVICES', provisionDeviceSecret: 'fleet-secret' },
  },
};

let gateway: GatewayProcess;
let server: ServerClient;
let folder: string;
let apiKey: string;
beforeAll(async () => {
  gateway = await GatewayProcess.start();
  server = await ServerClient.login(gateway.http);
  await make(`/api/device?accessToken=${TOKEN}`, { name: 'Thermometer' });
  folder = temporaryFolder();
  for (const name of ['bin', 'etc', 'data', 'home']) mkdirSync(join(folder, name));
  const script = `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, 'packages/gateway/bin/tandem.js')}' "$@"\n`;
  writeFileSync(join(folder, 'bin', 'tandem'), script, { mode: 0o755 });
  writeFileSync(join(folder, 'etc', 'tandem.env'), 'TANDEM_LOG_LEVEL=info\n');
  writeFileSync(join(folder, 'etc', 'tandem.keys'), `${'0c'.repeat(32)}\n`, { mode: 0o600 });
  writeFileSync(join(folder, 'fleet.csv'), 'name,type\nmeter-of-a-list,meter\n');
  writeFileSync(join(folder, 'data', 'initial-admin-password'), `${ADMIN_PASSWORD}\n`);
  apiKey = await makeApiKey();
});
afterAll(cleanUp);

/** Past those who keep what tests use as secrets: these stand in help texts. */
async function make(path: string, body: object, answers: readonly number[] = [200]): Promise<void> {
  const headers = { 'X-Authorization': `Bearer ${server.jwt}`, 'Content-Type': 'application/json' };
  const url = `http://127.0.0.1:${gateway.http}${path}`;
  const { status } = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  expect(answers).toContain(status);
}

async function makeApiKey(): Promise<string> {
  const user = JSON.parse((await server.send('GET', '/api/auth/user')).text) as { id: { id: string } };
  const body = { description: 'for examples', enabled: true, userId: user.id, expirationTime: 0 };
  return (JSON.parse((await server.send('POST', '/api/apiKey', body)).text) as { value: string }).value;
}

/** What a shell of somebody who has `tandem` knows; its gateways take any port. */
const environment = () => ({
  PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
  HOME: join(folder, 'home'),
  HTTP_BIND_PORT: '0',
  COAP_BIND_PORT: '0',
  TANDEM_METRICS_PORT: '0',
  // No file with another is made where the examples find that of the gateway.
  TANDEM_ADMIN_PASSWORD: ADMIN_PASSWORD,
  JWT: server.jwt,
  KEY: apiKey,
  OLD_KEY: apiKey,
});

/** For the ports of this gateway; and nothing takes longer than to see that it works. */
const aimed = (commands: string): string =>
  aimedAt(gateway, commands)
    .replaceAll('tandem bench ', 'tandem bench --warm-up 0 ')
    .replace(/--for \S+/g, '--for 500ms')
    .replaceAll('--interval 1s', '--interval 50ms')
    .replace(/^(tandem bench .*--seconds) \d+/gm, '$1 0.3')
    .replace(/^(tandem bench (?!.*--seconds).*)$/gm, '$1 --seconds 0.3')
    .replaceAll('localhost:5683', `localhost:${gateway.coap}`)
    .replaceAll('https://old.example.org', `http://127.0.0.1:${gateway.http}`)
    .replaceAll('=8090', '=0')
    .replaceAll('/etc/', `${folder}/etc/`)
    .replaceAll('/var/lib/', `${folder}/lib-`);

/** As somebody would see it who has the ports of the page. */
const unaimed = (text: string): string =>
  text
    .replaceAll(`127.0.0.1:${gateway.http}`, 'localhost:8080')
    .replaceAll(`localhost:${gateway.coap}`, 'localhost:5683');

describe('The guide to the command', () => {
  const examples = examplesOn('docs/guides/command-line.md');
  it('prints what stands in it', async () => {
    const shell = new Shell(folder, environment());
    expect(examples.length).toBeGreaterThan(5);
    for (const { commands, output } of examples) {
      const printed = unaimed(await outputOf(shell.run(aimed(commands))));
      // Of a machine that is busy with other tests.
      const text = printed.replace(/^note .*\n/m, '');
      expect({ commands, printed: asOnPage(text, output) }).toEqual({ commands, printed: output });
    }
    await shell.close();
  });
});

const COMMANDS = [
  ['serve'],
  ['doctor'],
  ['device'],
  ['bench'],
  ['config'],
  ['config', 'check'],
  ['config', 'print'],
  ['config', 'docs'],
  ['devices'],
  ['devices', 'import'],
  ['devices', 'copy'],
  ['secrets'],
  ['secrets', 'seal'],
];

/** Those that run until they are stopped, and what they say by when they run. */
const ENDLESS: readonly (readonly [RegExp, RegExp])[] = [
  [/tandem serve/, /"message":"ready"/],
  [/^tandem device http\S+ --token my-token$/, /> telemetry/],
];

/** Run side by side; within one, one after the other, since some have the same data folder open. */
const LANES: readonly (readonly string[])[] = [
  ['serve', 'doctor', 'secrets'],
  ['device'],
  ['bench', 'devices', 'config'],
];

/** What `tandem <command> --help` prints. */
function helpOf(words: readonly string[]): string {
  let command = makeProgram();
  for (const word of words) command = command.commands.find((one) => one.name() === word) ?? command;
  let help = '';
  const writeOut = (text: string) => {
    help += text;
  };
  command.configureOutput({ writeOut }).outputHelp();
  return help;
}

function examplesIn(help: string): string[] {
  const [, section = ''] = /\nExamples:\n((?: {2}.*\n?)+)/.exec(help) ?? [];
  return section
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** Is no log, in which what tests use as a token could not stand. Rejects where the exit code is another than 0. */
async function helpBy(...words: readonly string[]): Promise<string> {
  const tandem = join(ROOT, 'packages/gateway/bin/tandem.js');
  const { stdout } = await promisify(execFile)(process.execPath, [tandem, ...words]);
  return stdout;
}

/** Runs it as it stands there, stopped by Ctrl-C where it has no end. @returns the exit code, and what it printed where that is not 0 */
async function run(example: string): Promise<{ code: number | null; said: string }> {
  const [, enough] = ENDLESS.find(([pattern]) => pattern.test(example)) ?? [];
  const shell = spawn('bash', ['-o', 'pipefail', '-c', aimed(example)], {
    cwd: folder,
    env: environment(),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  let stopped = false;
  const read = (text: string) => {
    said += text;
    if (stopped || !enough?.test(said)) return;
    stopped = true;
    process.kill(-(shell.pid ?? 0), 'SIGINT');
  };
  for (const stream of [shell.stdout, shell.stderr]) stream.setEncoding('utf8').on('data', read);
  const code = await new Promise<number | null>((resolve) => shell.once('close', resolve));
  return { code, said: code === 0 ? '' : said };
}

describe('The help', () => {
  // Refused where the guide has made it before.
  beforeAll(() => make('/api/deviceProfile', FLEET, [200, 400]));

  it.each(COMMANDS.map((command) => ({ name: command.join(' '), command })))(
    'of tandem $name has examples, and says what exit codes mean',
    ({ command }) => {
      expect(examplesIn(helpOf(command)).length).toBeGreaterThan(0);
      if (!['config', 'print', 'docs', 'devices', 'secrets'].includes(command.at(-1) ?? '')) {
        expect(helpOf(command)).toContain('Exit code: 0');
      }
    },
  );

  it('has examples that run as they stand there', async () => {
    const failures: object[] = [];
    const ran = await Promise.all(
      LANES.map(async (lane) => {
        const commands = COMMANDS.filter(([first = '']) => lane.includes(first)).sort(
          ([one = ''], [other = '']) => lane.indexOf(one) - lane.indexOf(other),
        );
        // A command that only has others shows theirs.
        const lines = [...new Set(commands.flatMap((command) => examplesIn(helpOf(command))))];
        for (const line of lines) {
          const { code, said } = await run(line);
          if (code !== 0) failures.push({ line, code, said });
        }
        return lines.length;
      }),
    );
    expect(failures).toEqual([]);
    expect(Math.min(...ran)).toBeGreaterThan(4);
  });

  it('of a command below another is told by tandem help as well', async () => {
    expect(await helpBy('help', 'devices', 'import')).toBe(await helpBy('devices', 'import', '--help'));
    const mistyped = new TandemProcess(['help', 'devices', 'improt'], {});
    expect(await mistyped.exit).toEqual({ code: 1, signal: null });
    expect(mistyped.stderr).toMatch(/unknown command 'devices improt'/);
  });

  it('is what tandem says by itself, lists every command, and is pointed to by whoever mistypes one', async () => {
    const alone = await helpBy();
    for (const [command = ''] of COMMANDS) expect(alone).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
    const mistyped = new TandemProcess(['srve'], {});
    expect(await mistyped.exit).toEqual({ code: 1, signal: null });
    expect(mistyped.stderr).toMatch(/unknown command 'srve'\n\(Did you mean serve\?\)\n\(tandem help lists/);
  });
});

describe('tandem bench', () => {
  it('tells programs what it measured', async () => {
    const args = [
      '--token',
      TOKEN,
      '--seconds',
      '0.3',
      '--warm-up',
      '0',
      '--connections',
      '4',
      '--what',
      'read',
      '--json',
    ];
    const bench = new TandemProcess(['bench', `coap://localhost:${gateway.coap}`, ...args], {});
    expect(await bench.exit).toEqual({ code: 0, signal: null });
    const told = JSON.parse(bench.stdout);
    expect(told).toMatchObject({ what: 'read', connections: 4, devices: 1, answers: { '2.05': told.answered } });
    expect(told.answered).toBeGreaterThan(0);
    expect(told.latency.p50).toBeLessThanOrEqual(told.latency.p99);
  });

  it('says why it makes no sense, and measures nothing', async () => {
    const bench = new TandemProcess(['bench', `http://127.0.0.1:${gateway.http}`, '--token', 'nobody-has-this'], {});
    expect(await bench.exit).toEqual({ code: 1, signal: null });
    expect(bench.stderr).toMatch(/^tandem: 401: no device of this gateway has that token/);
    expect(bench.stdout).toBe('');
  });
});
