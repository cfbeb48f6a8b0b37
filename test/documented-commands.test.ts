import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { METRIC_TOPICS, readSettings, SETTINGS } from '@tandem/core';
import { type Fence, fencesOf, RUN_BY } from './page-examples/pages';
import { ROOT } from './support/gateway-process';

const PAGES = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: ROOT })
  .toString()
  .split('\n')
  .filter(Boolean);
/** What cannot be run by a test, because it asks for a cluster, a registry or a program that is not there, or takes many minutes. */
const BY_HAND_AT_MOST = 12;

type Block = Fence & { readonly page: string };
const blocks: readonly Block[] = PAGES.flatMap((page) => fencesOf(read(page)).map((fence) => ({ ...fence, page })));
const commands = blocks.filter(({ language }) => language === 'sh');
const marked = (...marks: readonly string[]) =>
  commands.filter(({ mark }) => marks.includes(mark.split(/[ :]/)[0] ?? ''));
const names = (list: readonly Block[]) => list.map(({ page, mark, text }) => `${page}: ${mark} ${text.split('\n')[0]}`);

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

const scriptsIn = (folder: string): string =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.sh'))
    .map((name) => read(join(folder, name)))
    .join('\n');

const sourcesIn = (folder: string): string =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(?<!\.test)\.ts$/.test(entry.name))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n');

describe('Every command of the documentation', () => {
  it('says how it is run, in a way that there is', () => {
    const known = marked('', 'waits', 'soon', 'runs', 'walk', 'tour', 'compose', 'helm', 'ci', 'minutes', 'by-hand');
    expect(names(commands.filter((block) => !known.includes(block)))).toEqual([]);
    expect(commands.length).toBeGreaterThan(150);
  });

  it('is run by the test of its page', () => {
    const pages = [...new Set(marked('', 'waits', 'soon', 'runs').map(({ page }) => page))].sort();
    expect(pages).toEqual(Object.keys(RUN_BY).sort());
    const unseen = pages.filter((page) => {
      const test = read(RUN_BY[page] ?? '');
      return !(test.includes('examplesOn(') && test.includes(`'${page}'`));
    });
    expect(unseen).toEqual([]);
  });

  it.each([
    ['walk', () => read('test/walk.sh'), ['block']],
    ['tour', () => read('test/tour.sh') + scriptsIn('test/tour'), ['guide']],
    ['compose', () => scriptsIn('test/compose'), ['block', 'example']],
  ] as const)('is run by the script that its mark names: %s', (kind, script, verbs) => {
    const found = marked(kind);
    expect(found.length).toBeGreaterThan(0);
    const text = script();
    const left = found.filter(({ mark }) => {
      const name = mark.slice(kind.length + 1);
      return !new RegExp(`\\b(?:${verbs.join('|')}) ${name}\\b`).test(text);
    });
    expect(names(left)).toEqual([]);
  });

  it('of docker compose is the same on every page', () => {
    const guide = new Map(
      marked('compose')
        .filter(({ page }) => page === 'docs/guides/docker-compose.md')
        .map(({ mark, text }) => [mark, text]),
    );
    for (const { page, mark, text } of marked('compose')) expect([page, text]).toEqual([page, guide.get(mark)]);
  });

  it('of helm is run by `npm run test:helm`', () => {
    expect(marked('helm').map(({ page }) => page)).toEqual(marked('helm').map(() => 'docs/guides/kubernetes.md'));
    expect(read('test/helm/run.sh')).toContain('docs/guides/kubernetes.md');
  });

  it('that measures for minutes is known to what it is said to', () => {
    for (const { page, text } of marked('minutes')) {
      for (const line of text.trim().split('\n')) {
        const [, script = '', rest = ''] = /^npm run (\w+)(?: -- (.*?))?(?: {2}# .*)?$/.exec(line) ?? [];
        const folder = { bench: 'bench/src', chaos: 'test/chaos' }[script];
        expect([page, line, folder]).toEqual([page, line, expect.any(String)]);
        const sources = sourcesIn(folder ?? '');
        const words = [...rest.matchAll(/"([^"]*)"|--([a-z-]+)|([a-z][\w-]*)/g)].map(([, ...found]) => found.join(''));
        expect([line, words.filter((word) => !sources.includes(word))]).toEqual([line, []]);
      }
    }
  });

  it('that CI runs stands there', () => {
    const ci = read('.ci/run').split('\n');
    const lines = marked('ci').flatMap(({ text }) => text.trim().split(/\n| && /));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.filter((line) => !ci.includes(line))).toEqual([]);
  });

  it('that no test runs says why, and there are few of these', () => {
    const byHand = marked('by-hand');
    expect(names(byHand.filter(({ mark }) => !/^by-hand \S+ \S+/.test(mark)))).toEqual([]);
    expect(byHand.length).toBeLessThanOrEqual(BY_HAND_AT_MOST);
  });

  it('that npm runs is a script of package.json', () => {
    const { scripts } = JSON.parse(read('package.json'));
    const asked = PAGES.flatMap((page) => [...read(page).matchAll(/\bnpm run ([a-z][\w:]*)/g)].map(([, name]) => name));
    expect([...new Set(asked)].filter((name) => !Object.hasOwn(scripts, name ?? ''))).toEqual([]);
  });

  it('writes into a clone nothing that git would take along', () => {
    const written = [...marked('', 'waits', 'soon', 'runs', 'compose')].flatMap(({ text }) =>
      [...text.matchAll(/(?:> ?|(?<=\s)-(?:out|keyout|o) |--(?:save-tokens|etag-save) )(\w[\w./-]*)/g)].map(
        ([, name = '']) => name,
      ),
    );
    const files = [...new Set(written.filter((name) => !name.startsWith('backup-')))];
    expect(files).toEqual(expect.arrayContaining(['authority.key', 'coapserver_key.pem', 'tandem.env', 'secrets/key']));
    const ignored = execFileSync('git', ['check-ignore', '--no-index', ...files], { cwd: ROOT })
      .toString()
      .split('\n');
    expect(files.filter((name) => !ignored.includes(name))).toEqual([]);
  });

  it('stands in a block that says it is one', () => {
    const languages = new Set(['sh', 'text', 'json', 'env', 'csv', 'js', 'proto', 'redis', 'conf', 'properties']);
    const unnamed = blocks.filter(({ language }) => !languages.has(language));
    expect(
      names(unnamed.filter(({ text }) => /^(?!.*[─│┌└]).*\b(?:sudo|docker|npm|curl|helm|kubectl|node) /m.test(text))),
    ).toEqual([]);
    const shell = /^(?:sudo|docker|npm|curl|helm|kubectl|node|tandem|coap-client\S*) /m;
    const disguised = blocks.filter(
      ({ language, text }) => language !== 'sh' && language !== 'text' && shell.test(text),
    );
    expect(names(disguised)).toEqual([]);
    const indented = PAGES.filter((page) =>
      new RegExp(`^ {4}${shell.source.slice(1)}`, 'm').test(read(page).replace(/^```[\s\S]*?^```$/gm, '')),
    );
    expect(indented).toEqual([]);
  });
});

describe('Every metric of the documentation', () => {
  const known = new Set(Object.values(METRIC_TOPICS).flatMap((rows) => Object.keys(rows)));

  it('is one that the gateway has', () => {
    const named = PAGES.filter((page) => !page.startsWith('docs/adr/') && page !== 'CHANGELOG.md').flatMap((page) =>
      [...read(page).matchAll(/\btandem_[a-z][a-z_]*[a-z]\b(?![_*.]|\{?[A-Z])/g)].map(([name]) => `${page}: ${name}`),
    );
    expect(named.length).toBeGreaterThan(50);
    const isKnown = (line: string) => known.has(line.split(': ')[1]?.replace(/_(?:bucket|count|sum)$/, '') ?? '');
    expect(named.filter((line) => !isKnown(line))).toEqual([]);
  });
});

describe('Every setting of the documentation', () => {
  const settings = blocks.filter(({ language }) => language === 'env');

  it.each(settings.map(({ page, text }) => ({ page, text, first: text.split('\n')[0] })))(
    'is one that the gateway starts with: $page, $first',
    ({ text }) => {
      const pairs = text
        .trim()
        .split('\n')
        .map((line) => /^([A-Z0-9_]+)=(.*)$/.exec(line)?.slice(1) ?? [line, '']);
      const given = Object.fromEntries(pairs.map(([name, value = '']) => [name, value.replace(/^'(.*)'$/, '$1')]));
      expect(Object.keys(given).filter((name) => !Object.hasOwn(SETTINGS, name))).toEqual([]);
      // Beside what other settings it stands is for its page to say.
      const elsewhere = text.includes('TANDEM_ROLES=') ? { REDIS_URL: 'redis://localhost' } : {};
      expect(() => readSettings({ ...elsewhere, ...given })).not.toThrow();
    },
  );
});
