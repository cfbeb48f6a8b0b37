import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Example, examplesOn } from './page-examples/examples';
import { eventually } from './support/eventually';
import { cleanUp, GatewayProcess, ROOT, temporaryFolder } from './support/gateway-process';
import { ServerClient } from './support/server-client';

const run = promisify(execFile);

/** The fenced blocks of a guide in their order. */
function blocksOf(guide: string): { readonly language: string; readonly text: string }[] {
  const page = readFileSync(join(ROOT, 'docs', 'guides', guide), 'utf8');
  const blocks = page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm);
  return [...blocks].map(([, language = '', text = '']) => ({ language, text }));
}

afterAll(cleanUp);

/** A file in a folder of its own, with this text. */
function module(name: string, text: string): string {
  const file = join(temporaryFolder(), name);
  writeFileSync(file, text);
  return file;
}

/** A codec as JavaScript. */
const codec = (name: string, contentFormat: number | undefined) =>
  `{ name: '${name}', mediaTypes: ['text/x-${name}'], contentFormat: ${contentFormat}, decode: () => '{}', encode: Buffer.from }`;

describe("Codecs of one's own", () => {
  const ownFormats = examplesOn('docs/guides/customise.md');
  const formats = examplesOn('docs/guides/payload-formats.md');
  let gateway: GatewayProcess;
  beforeAll(async () => {
    const modules = [
      module('pairs.mjs', blocksOf('customise.md').find(({ language }) => language === 'js')?.text ?? ''),
      module('list.mjs', `export default [${codec('a', 65_001)}, ${codec('b', undefined)}];`),
      module('common.cjs', `module.exports = ${codec('c', 65_003)};`),
      module('compiled.cjs', `exports.__esModule = true;\nexports.default = ${codec('d', undefined)};`),
    ];
    gateway = await GatewayProcess.start({ TANDEM_PAYLOAD_CODECS: modules.join(', ') });
  });

  it('come from ES modules and CommonJS, alone or in a list, also compiled', async () => {
    expect(await gateway.logged('payload codecs loaded')).toMatchObject({ codecs: ['pairs', 'a', 'b', 'c', 'd'] });
  });

  /** Runs what a guide has its reader type, but for starting the gateway; what is printed has to be the block that follows. */
  async function follow(examples: readonly Example[]): Promise<number> {
    const cwd = temporaryFolder();
    let ran = 0;
    for (const { commands, output, runs } of examples) {
      if (runs) {
        expect(commands).toBe('TANDEM_PAYLOAD_CODECS=pairs.mjs npm start\n');
        continue;
      }
      const command = commands
        .replaceAll('localhost:8080', `127.0.0.1:${gateway.http}`)
        .replaceAll('coap://127.0.0.1/', `coap://127.0.0.1:${gateway.coap}/`);
      const { stdout } = await run('sh', ['-c', command], { cwd });
      expect([commands, stdout.trim()]).toEqual([commands, output]);
      ran++;
    }
    return ran;
  }

  it('do what the guides say, word by word', async () => {
    const server = await ServerClient.login(gateway.http);
    const id = await server.createDevice('my-token');
    expect(await follow(ownFormats)).toBe(5);
    expect(await follow(formats)).toBe(5);
    await eventually(async () =>
      (await server.latest(id))['kitchen/door'] ? undefined : 'the last one is not there yet',
    );
    expect(await server.latest(id)).toMatchObject({
      t: [{ value: '21.5' }],
      on: [{ value: 'true' }],
      room: [{ value: 'B 12' }],
      temperature: [{ value: '21.5' }],
      count: [{ value: '42' }],
      'kitchen/temperature': [{ ts: 1_700_000_060_000, value: '21.6' }],
      'kitchen/door': [{ value: 'open' }],
    });
  });

  it.each([
    ['is not there', undefined, 'cannot be loaded: '],
    ['throws', 'throw new Error("two\\nlines")', 'cannot be loaded: two lines'],
    ['exports nothing', 'export const codec = {};', 'has no default export'],
    [
      'takes the number of CBOR',
      `export default [${codec('a', 61)}, ${codec('b', 60)}];`,
      "codec 2 of it names the Content-Format 60, which is another format's",
    ],
    [
      'has properties that throw',
      'export default { get name() { throw new Error("no name today"); } };',
      'its default export cannot be read: no name today',
    ],
    [
      'answers later',
      "export default { name: 'later', mediaTypes: ['text/x-later'], async decode() {}, encode() {} };",
      'its default export needs functions `decode` and `encode` that answer at once: they cannot be async',
    ],
  ])('stop the start in one line that names setting and file, when the module %s', async (_what, text, complaint) => {
    const file = text === undefined ? join(temporaryFolder(), 'gone.mjs') : module('codec.mjs', text);
    const refused = GatewayProcess.launch({ TANDEM_PAYLOAD_CODECS: file });
    expect(await refused.exit).toEqual({ code: 1, signal: null });
    expect(refused.stderrLines).toHaveLength(1);
    expect(refused.stderr).toContain(`tandem: TANDEM_PAYLOAD_CODECS: ${file}: ${complaint}`);
  });
});
