import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

/** One file of the page, as it is served. */
export interface ConsoleFile {
  /** Of the URL. */
  readonly path: string;
  readonly type: string;
  readonly body: Buffer;
}

/** The same folders from the sources and from the built files. */
const PACKAGE = join(__dirname, '..', '..');
const FOLDERS = [join(PACKAGE, 'src', 'page', 'assets'), join(PACKAGE, 'dist', 'web')];
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * All files of the console, read at the start: the page itself at `/`, what it loads below `/console/`. The scripts are modules as
 * the compiler wrote them; nothing is bundled, here or when the gateway is built (ADR 48).
 */
export function consoleFiles(): ConsoleFile[] {
  const files = FOLDERS.flatMap(filesOf);
  const scripts = files.filter(({ path }) => path.endsWith('.js')).map(({ path }) => path);
  return files.map((file) => (file.path === '/' ? { ...file, body: withPreloads(file.body, scripts) } : file));
}

const filesOf = (folder: string): ConsoleFile[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).flatMap((name) => {
    const type = name.endsWith('.d.ts') ? undefined : TYPES[extname(name)];
    if (type === undefined) return [];
    const path = name === 'index.html' ? '/' : `/console/${name.replaceAll('\\', '/')}`;
    return [{ path, type, body: readFileSync(join(folder, name)) }];
  });

/** The page names all modules, so that a browser asks for them at once, and not for each when it has read who imports it. */
function withPreloads(page: Buffer, scripts: readonly string[]): Buffer {
  const links = scripts.map((path) => `    <link rel="modulepreload" href="${path}" />\n`);
  return Buffer.from(page.toString().replace('  </head>', () => `${links.join('')}  </head>`));
}
