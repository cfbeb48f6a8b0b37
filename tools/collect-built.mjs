#!/usr/bin/env node
// Copies what of our packages runs, and nothing else, into a folder: for the image. Usage: node tools/collect-built.mjs <folder>
// What that is, each package says in `files` of its package.json, as for npm; one that says nothing means `dist`.
import fs from 'node:fs';
import path from 'node:path';

const root = path.dirname(path.dirname(new URL(import.meta.url).pathname));
const [, , target] = process.argv;
if (!target) {
  process.stderr.write('node tools/collect-built.mjs <folder>\n');
  process.exit(2);
}
/** For editors and compilers: nothing of it is read when the program runs. */
const RUNS = (file) => !/\.(?:d\.ts|map|tsbuildinfo)$/.test(file);

for (const name of fs.readdirSync(path.join(root, 'packages'))) {
  const folder = path.join('packages', name);
  const manifest = path.join(folder, 'package.json');
  if (!fs.existsSync(path.join(root, manifest))) continue;
  const { files = ['dist'] } = JSON.parse(fs.readFileSync(path.join(root, manifest), 'utf8'));
  for (const each of [manifest, ...files.map((file) => path.join(folder, file))]) {
    fs.cpSync(path.join(root, each), path.join(target, each), { recursive: true, filter: RUNS });
  }
}
fs.copyFileSync(path.join(root, 'LICENSE'), path.join(target, 'LICENSE'));
