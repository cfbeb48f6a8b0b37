import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Router } from 'express';
import { PAGE_HEADERS } from '../http/page-headers';

/** The same folder from the sources and from the built files. */
const ASSETS = join(__dirname, '..', '..', 'src', 'openapi', 'assets');

const PAGES: ReadonlyArray<{ readonly path: string; readonly file: string; readonly type: string }> = [
  { path: '/openapi/', file: 'page.html', type: 'text/html; charset=utf-8' },
  { path: '/openapi/page.js', file: 'page.js', type: 'text/javascript; charset=utf-8' },
  { path: '/openapi/page.css', file: 'page.css', type: 'text/css; charset=utf-8' },
];

/** The description of the server API, for programs and for people. It tells nothing of what is stored, so anybody may see it. */
export function openApiPages(document: () => object): Router {
  const router = Router({ strict: true });
  let text: Buffer | undefined;
  // As bytes: one copy of them waits for all strangers who ask, and do not read.
  const serve = (path: string, type: string, body: () => Buffer) =>
    router.get(path, (_request, response) => {
      response.writeHead(200, { ...PAGE_HEADERS, 'Content-Type': type, 'Content-Length': body().length });
      response.end(body());
    });
  serve('/openapi.json', 'application/json', () => {
    text ??= Buffer.from(JSON.stringify(document()));
    return text;
  });
  for (const { path, file, type } of PAGES) {
    const content = readFileSync(join(ASSETS, file));
    serve(path, type, () => content);
  }
  // Where the reference has its page.
  for (const path of ['/openapi', '/swagger-ui', '/swagger-ui/', '/swagger-ui.html']) {
    router.get(
      path,
      (_request, response) => void response.writeHead(302, { ...PAGE_HEADERS, Location: '/openapi/' }).end(),
    );
  }
  return router;
}
