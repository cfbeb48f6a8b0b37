/** Longer `Accept` headers say nothing. */
const MAX_ACCEPT_LENGTH = 1_024;

/** One element of `Accept`. */
export interface MediaRange {
  /** `type/subtype` in lower case, perhaps with a `*`. */
  readonly type: string;
  /** 0 to 1. */
  readonly quality: number;
}

/** `type/subtype` in lower case, without its parameters. */
export function mediaTypeOf(header: string): string {
  const end = header.indexOf(';');
  return (end === -1 ? header : header.slice(0, end)).trim().toLowerCase();
}

/** The elements of an `Accept` header (RFC 9110 section 12.5.1) in their order; parameters other than `q` are passed over. */
export function mediaRanges(accept: string): MediaRange[] {
  if (accept.length > MAX_ACCEPT_LENGTH) return [];
  // A comma or semicolon within quotes separates nothing, and what is quoted is a parameter that says nothing here.
  const plain = accept.includes('"') ? accept.replace(/"(?:[^"\\]|\\.)*"?/g, '') : accept;
  return plain.split(',').map((element) => ({ type: mediaTypeOf(element), quality: qualityOf(element) }));
}

/** How much a media type is wanted: by the range that names it most closely. Undefined where none does. */
export function qualityOfType(type: string, ranges: readonly MediaRange[]): number | undefined {
  const named = (range: string) => ranges.find((candidate) => candidate.type === range)?.quality;
  return named(type) ?? named(`${type.slice(0, type.indexOf('/'))}/*`) ?? named('*/*');
}

function qualityOf(element: string): number {
  const [, written] = /;\s*q\s*=\s*([\d.]+)/i.exec(element) ?? [];
  const quality = written === undefined ? 1 : Number(written);
  return quality >= 0 && quality <= 1 ? quality : 1;
}
