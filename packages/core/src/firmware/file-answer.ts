import { byteRange } from './byte-range';
import { fileNameHeaders } from './file-name';

/** A file that can be had over HTTP. */
export interface HttpFile {
  /** Bytes. */
  readonly size: number;
  /** With its quotes. Strong: the same tag is the same bytes. */
  readonly etag: string;
  readonly name: string;
  /** As it was uploaded. */
  readonly contentType: string | null;
}

/** What a GET of a file answers; of its bytes only where they begin and how many they are. */
export interface FileAnswer {
  readonly status: 200 | 206 | 304 | 412 | 416;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly start: number;
  readonly length: number;
}

const OCTETS = 'application/octet-stream';
/** RFC 9110 section 8.3.1, parameters included: it goes into a header. */
const MEDIA_TYPE =
  /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+(?:[ \t]*;[ \t]*[\w!#$%&'*+.^`|~-]+=(?:[\w!#$%&'*+.^`|~-]+|"[ !#-[\]-~]*"))*$/;

/**
 * Conditions first, then the range (RFC 9110 section 13.2.2). A file never changes but for another one, so there are no dates.
 * @param header by its name in lower case
 */
export function fileAnswer(file: HttpFile, header: (name: string) => string | undefined): FileAnswer {
  const { size, etag } = file;
  const common = { 'Cache-Control': 'private, no-cache', ETag: etag, 'Accept-Ranges': 'bytes' };
  const required = header('if-match');
  if (required !== undefined && !namesTag(required, etag)) {
    return { status: 412, headers: { ...common, 'Content-Length': 0 }, start: 0, length: 0 };
  }
  if (namesTag(header('if-none-match'), etag, opaque)) return { status: 304, headers: common, start: 0, length: 0 };
  const condition = header('if-range');
  const range = byteRange(condition === undefined || condition.trim() === etag ? header('range') : undefined, size);
  if (range === 'unsatisfiable') {
    const headers = { ...common, 'Content-Range': `bytes */${size}`, 'Content-Length': 0 };
    return { status: 416, headers, start: 0, length: 0 };
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  const length = end - start + 1;
  return {
    status: range ? 206 : 200,
    headers: {
      ...common,
      'Content-Type': file.contentType && MEDIA_TYPE.test(file.contentType) ? file.contentType : OCTETS,
      ...fileNameHeaders(file.name),
      ...(range ? { 'Content-Range': `bytes ${start}-${end}/${size}` } : {}),
      'Content-Length': length,
    },
    start,
    length,
  };
}

/** `If-Match` compares tags as they are, `If-None-Match` without their W/ (RFC 9110 sections 13.1.1 and 13.1.2). */
const opaque = (tag: string): string => tag.replace(/^W\//, '');

const namesTag = (header: string | undefined, etag: string, form = (tag: string) => tag): boolean =>
  header !== undefined && (header.trim() === '*' || header.split(',').some((tag) => form(tag.trim()) === etag));
