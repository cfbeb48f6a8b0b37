#!/usr/bin/env node
// Imports point one way (docs/architecture.md): gateway -> {http-transport, coap-transport, server-api} -> core <-
// {state-embedded, state-redis}. Exits 1 with a line for each import that does not. What runs in browsers (web/) imports only what is
// beside it, by the name under which it is served.
import fs from 'node:fs';
import path from 'node:path';

const root = path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');
const ALLOWED = {
  core: [],
  'state-embedded': ['core'],
  'state-redis': ['core'],
  'http-transport': ['core'],
  'coap-transport': ['core'],
  'server-api': ['core'],
  console: [],
  gateway: ['core', 'state-embedded', 'state-redis', 'http-transport', 'coap-transport', 'server-api', 'console'],
};
// The domain does no I/O of its own: of Node's modules it uses the ones that only compute.
const CORE_NODE_MODULES = ['node:crypto', 'node:buffer', 'node:util'];
const SPECIFIER = /(?:\bfrom|\bimport|\brequire\()\s*['"]([^'"\n]+)['"]/g;

const problems = [];
for (const name of fs.readdirSync(path.join(root, 'packages'))) {
  const dir = path.join(root, 'packages', name);
  const manifest = JSON.parse(fs.readFileSync(path.join(dir, 'package.json'), 'utf8'));
  if (!ALLOWED[name]) problems.push(`packages/${name}: unknown to tools/check-imports.mjs`);
  for (const file of sources(path.join(dir, 'src'))) check(name, manifest, dir, file);
  const web = path.join(dir, 'web');
  for (const file of fs.existsSync(web) ? sources(web) : []) checkWeb(web, file);
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length > 0 ? 1 : 0;

function check(name, manifest, dir, file) {
  const where = path.relative(root, file);
  for (const [, specifier] of fs.readFileSync(file, 'utf8').matchAll(SPECIFIER)) {
    if (specifier.startsWith('.')) {
      const target = path.resolve(path.dirname(file), specifier);
      if (!target.startsWith(path.join(dir, path.sep))) problems.push(`${where}: ${specifier} leaves the package`);
    } else if (specifier.startsWith('@tandem/')) {
      const target = specifier.split('/')[1];
      if (!ALLOWED[name]?.includes(target)) problems.push(`${where}: ${name} must not import ${specifier}`);
    } else if (specifier.startsWith('node:')) {
      if (name === 'core' && !CORE_NODE_MODULES.includes(specifier)) {
        problems.push(`${where}: core must not import ${specifier}`);
      }
    } else if (!manifest.dependencies?.[packageOf(specifier)]) {
      problems.push(`${where}: ${packageOf(specifier)} is not a dependency of ${manifest.name}`);
    }
  }
}

function checkWeb(web, file) {
  for (const [, specifier] of fs.readFileSync(file, 'utf8').matchAll(SPECIFIER)) {
    const target = path.resolve(path.dirname(file), specifier);
    const served =
      specifier.startsWith('.') && specifier.endsWith('.js') && target.startsWith(path.join(web, path.sep));
    if (!served) problems.push(`${path.relative(root, file)}: no browser finds ${specifier}`);
  }
}

function packageOf(specifier) {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Tests and what only tests use may import anything. */
function sources(dir) {
  return fs
    .readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'))
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .filter((file) => !file.includes(`${path.sep}testing${path.sep}`));
}
