// The page of RFC statements and the tests that show them, from the compliance tests themselves: they are loaded with a
// collector in place, so that each `shows` and `leaves` says what it would test instead of testing it.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);

/** @param firstLine what generated the page */
export function conformancePage(root, firstLine) {
  const statements = collect(path.join(root, 'test', 'compliance'));
  const rfcs = [...new Set(statements.map(({ rfc }) => rfc))].sort((a, b) => numberOf(a) - numberOf(b));
  return `${firstLine}
# CoAP conformance

What the RFCs say about a server, in our words, and the test that shows it. \`npm test -- compliance\` runs them all: a test
is named by RFC, section and sentence. *describes* marks a statement without a capitalised verb. What is not followed, or has
no meaning here, says why in place of a test.
${rfcs.map((rfc) => tableOf(rfc, statements)).join('')}`;
}

function tableOf(rfc, all) {
  const rows = all
    .filter((statement) => statement.rfc === rfc)
    .map((statement, at) => ({ ...statement, at }))
    .sort((a, b) => compare(a.section, b.section) || a.at - b.at)
    .map(
      ({ section, level, says, why, file }) =>
        `| ${section} | ${level} | ${cell(says)} | ${why === undefined ? `[test](../../${file})` : cell(why)} |`,
    );
  return `
## ${rfc}

| Section | Level | The server | Shown by |
|---|---|---|---|
${rows.join('\n')}
`;
}

function collect(folder) {
  require('esbuild-register/dist/node').register({ target: 'node20' });
  resolveLikeJest(path.dirname(path.dirname(folder)));
  const statements = [];
  globalThis.conformance = { push: (statement) => statements.push({ ...statement, file: current }) };
  const nothing = Object.assign(() => {}, { each: () => () => {} });
  Object.assign(globalThis, { test: nothing, it: nothing, describe: (_name, body) => body() });
  Object.assign(globalThis, { beforeAll: nothing, afterAll: nothing, beforeEach: nothing, afterEach: nothing });
  let current;
  for (const file of fs.readdirSync(folder, { recursive: true }).sort()) {
    if (!file.endsWith('.test.ts')) continue;
    current = `test/compliance/${file.split(path.sep).join('/')}`;
    require(path.join(folder, file));
  }
  delete globalThis.conformance;
  return statements;
}

/** Tests run on the sources (jest.config.ts), and so does what reads them. */
function resolveLikeJest(root) {
  const Module = require('node:module');
  const resolve = Module._resolveFilename;
  Module._resolveFilename = (request, ...rest) => {
    const [, name, testing] = /^@tandem\/([^/]+)(\/testing)?$/.exec(request) ?? [];
    if (name === undefined) return resolve(request, ...rest);
    return path.join(root, 'packages', name, 'src', testing === undefined ? 'index.ts' : 'testing/index.ts');
  };
}

const numberOf = (rfc) => Number(rfc.replace(/\D/g, ''));
const cell = (text) => text.replaceAll('|', '\\|');

function compare(a, b) {
  const [left, right] = [a, b].map((section) => section.split('.').map(Number));
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
