import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A Lua script. Its contract, KEYS and ARGV, stands at the head of its file. */
export interface Script {
  readonly name: string;
  readonly source: string;
  readonly sha: string;
}

/** The same folder from the sources and from the built files. */
const FOLDER = join(__dirname, '..', '..', 'src', 'lua');

/** Reads `src/lua/<name>.lua`; to be called once, when the module that runs it is loaded. */
export function loadScript(name: string): Script {
  const source = readFileSync(join(FOLDER, `${name}.lua`), 'utf8');
  return { name, source, sha: createHash('sha1').update(source).digest('hex') };
}
