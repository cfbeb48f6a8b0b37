import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Router } from 'express';

/** The same folder from the sources and from the built files. */
const ASSETS = join(__dirname, '..', '..', 'src', 'openapi', 'assets');

const PAGES: ReadonlyArray<{ readonly path: string; readonly file: string; readonly type: string }> = [
  { path: '/openapi/', file: 'page.html', type: 'text/html; charset=utf-8' },
  { path: '/openapi/page.js', file: 'page.js', type: 'text/javascript; charset=utf-8' },
  { path: '/openapi/page.css', file: 'page.css', type: 'text/css; charset=utf-8' },
];

/** Nothing but what comes from here, and no page around it. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The description of the server API, for programs and for people. It tells nothing of what is stored, so anybody may see it. */
export function openApiPages(document: () => object): Router {
  const router = Router({ strict: true });
  let text: string | undefined;
  const serve = (path: string, type: string, body: () => string) =>
    router.get(path, (_request, response) => {
      response.writeHead(200, {
        'Content-Type': type,
        'Content-Security-Policy': POLICY,
        'X-Content-Type-Options': 'nosniff',
        'Referrer-Policy': 'no-referrer',
      });
      response.end(body());
    });
  serve('/openapi.json', 'application/json', () => {
    text ??= JSON.stringify(document());
    return text;
  });
  for (const { path, file, type } of PAGES) {
    const content = readFileSync(join(ASSETS, file), 'utf8');
    serve(path, type, () => content);
  }
  // Where the reference has its page.
  for (const path of ['/openapi', '/swagger-ui', '/swagger-ui/', '/swagger-ui.html']) {
    router.get(path, (_request, response) => void response.writeHead(302, { Location: '/openapi/' }).end());
  }
  return router;
}
