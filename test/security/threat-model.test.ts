import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/gateway-process';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface Row {
  readonly door: string;
  readonly threat: string;
  readonly shownBy: string;
}

/** The rows of the tables of a page, without their heads. */
function rowsOf(page: string): Row[] {
  let door = '';
  const rows: Row[] = [];
  for (const line of page.split('\n')) {
    door = /^## (.+)$/.exec(line)?.[1] ?? door;
    const [, stride = '', threat = '', , shownBy = ''] = line.split('|').map((cell) => cell.trim());
    if (/^[STRIDE](, [STRIDE])*$/.test(stride)) rows.push({ door, threat, shownBy });
  }
  return rows;
}

interface Named {
  readonly file: string;
  readonly test: string;
}

/** `file`: "one test", "another"; `file`: ... */
const namedIn = (shownBy: string): Named[] =>
  [...shownBy.matchAll(/`([^`]+\.test\.ts)`:((?:,? "(?:[^"]+)")+)/g)].flatMap(([, file = '', names = '']) =>
    [...names.matchAll(/"([^"]+)"/g)].map(([, test = '']) => ({ file, test })),
  );

/** Whether a file has a test of that name, as its code says it. */
function isThere({ file, test }: Named): boolean {
  if (!existsSync(join(ROOT, file))) return false;
  const code = read(file);
  return [`'${test.replaceAll("'", "\\'")}'`, `"${test}"`, `\`${test}\``].some((name) => code.includes(name));
}

describe('The threat model', () => {
  const rows = rowsOf(read('docs/security.md'));

  it('has rows for every door, each with a test', () => {
    expect(rows.length).toBeGreaterThan(40);
    const doors = [...new Set(rows.map(({ door }) => door))];
    expect(doors).toEqual([
      'HTTP',
      'HTTPS',
      'CoAP',
      'CoAP over DTLS',
      'Server API',
      'WebSocket',
      'Console',
      'Store and Redis',
      'Metrics port',
      'Files and secrets',
      'Supply chain',
    ]);
    expect(rows.filter(({ shownBy }) => namedIn(shownBy).length === 0)).toEqual([]);
  });

  it('names tests that are there', () => {
    expect(rows.flatMap(({ shownBy }) => namedIn(shownBy)).filter((named) => !isThere(named))).toEqual([]);
  });

  it('would be found to name one that is not', () => {
    const file = 'test/security/threat-model.test.ts';
    const [one, other, gone] = namedIn(
      `\`${file}\`: "names tests that are there", "${'no'} such test"; \`test/no.test.ts\`: "x"`,
    );
    expect([one, other, gone].map((named) => named && isThere(named))).toEqual([true, false, false]);
  });
});

describe('Dependencies', () => {
  const manifests = ['package.json', 'bench/package.json'].concat(
    readdirSync(join(ROOT, 'packages')).map((name) => `packages/${name}/package.json`),
  );

  it('have exact versions, and a hash in the lock file', () => {
    const versions = manifests.flatMap((path) => {
      const { dependencies = {}, devDependencies = {}, optionalDependencies = {} } = JSON.parse(read(path));
      return Object.values<string>({ ...dependencies, ...devDependencies, ...optionalDependencies });
    });
    expect(versions.length).toBeGreaterThan(20);
    expect(versions.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
    type Locked = { link?: boolean; optional?: boolean; integrity?: string };
    const locked = Object.entries<Locked>(JSON.parse(read('package-lock.json')).packages);
    // Packages of other platforms, which the registry does not have, have an entry and nothing else.
    const unhashed = locked.filter(
      ([path, { link, optional, integrity }]) => path.includes('node_modules/') && !link && !optional && !integrity,
    );
    expect(unhashed).toEqual([]);
  });

  it('run nothing when they are installed', () => {
    expect(read('.npmrc')).toMatch(/^ignore-scripts=true$/m);
  });

  it('are asked about by `npm run audit`', () => {
    expect(JSON.parse(read('package.json')).scripts.audit).toBe('npm audit --omit=dev --audit-level=low');
  });
});
