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

/**
 * Reads `src/lua/<name>.lua`; to be called once, when the module that runs it is loaded. A line `-- with <part>` is replaced
 * by `src/lua/parts/<part>.lua`.
 */
export function loadScript(name: string): Script {
  const source = read(name).replace(/^-- with (\S+)$/gm, (_line, part: string) => read(`parts/${part}`));
  return scriptOf(name, source);
}

const read = (name: string): string => readFileSync(join(FOLDER, `${name}.lua`), 'utf8');

/** The same script for calls that Redis carries out even where it is out of memory. @param script with no flags */
export const allowingOutOfMemory = ({ name, source }: Script): Script =>
  scriptOf(name, source.replace(/^#!lua$/m, '#!lua flags=allow-oom'));

const scriptOf = (name: string, source: string): Script => ({
  name,
  source,
  sha: createHash('sha1').update(source).digest('hex'),
});
