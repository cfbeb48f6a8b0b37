import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { PAGE_HEADERS } from './page-headers';
import { pathOf } from './path';

/** A file of a page for browsers, as it is served at a path of its own. */
export interface PageFile {
  readonly path: string;
  readonly type: string;
  readonly body: Buffer;
}

interface Representation {
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: Buffer;
  readonly etag: string;
}

/** It pays from here on. */
const WORTH_PACKING = 500;

/**
 * Answers GET and HEAD of these files, and passes everything else on. They hold nothing of what is stored, so anybody may have them.
 * Browsers ask each time whether they are still the same (`no-cache`): a page must never be put together of two versions for long.
 */
export function pageFiles(
  files: readonly PageFile[],
): (request: IncomingMessage, response: ServerResponse, next: () => void) => void {
  const served = new Map(files.map((file) => [file.path, representationsOf(file)]));
  return (request, response, next) => {
    const found =
      request.method === 'GET' || request.method === 'HEAD' ? served.get(pathOf(request.url ?? '')) : undefined;
    if (!found) return next();
    const { headers, body, etag } = found.packed && takesGzip(request) ? found.packed : found.plain;
    if (matches(request.headers['if-none-match'], etag)) {
      response.writeHead(304, { ETag: etag, 'Cache-Control': 'no-cache', Vary: 'Accept-Encoding' }).end();
      return;
    }
    response.writeHead(200, headers);
    response.end(request.method === 'HEAD' ? undefined : body);
  };
}

function representationsOf({ type, body }: PageFile): { plain: Representation; packed?: Representation } {
  const digest = createHash('sha256').update(body).digest('base64url').slice(0, 27);
  const represent = (content: Buffer, etag: string, more: Record<string, string>): Representation => ({
    etag,
    body: content,
    headers: {
      ...PAGE_HEADERS,
      'Content-Type': type,
      'Content-Length': content.length,
      'Cache-Control': 'no-cache',
      ETag: etag,
      Vary: 'Accept-Encoding',
      ...more,
    },
  });
  const plain = represent(body, `"${digest}"`, {});
  if (body.length < WORTH_PACKING) return { plain };
  return { plain, packed: represent(gzipSync(body, { level: 9 }), `"${digest}-gzip"`, { 'Content-Encoding': 'gzip' }) };
}

const takesGzip = ({ headers }: IncomingMessage): boolean =>
  /(?:^|,)\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[^,]*)?(?:,|$)/i.test(String(headers['accept-encoding'] ?? ''));

/** RFC 9110 section 13.1.2: compared weakly. */
const matches = (asked: string | undefined, etag: string): boolean =>
  asked !== undefined &&
  (asked.trim() === '*' || asked.split(',').some((one) => one.trim().replace(/^W\//, '') === etag));
