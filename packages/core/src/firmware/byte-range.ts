/** Bytes of a whole: from `start` up to and with `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * What a `Range` header asks for (RFC 9110 sections 14.1.2 and 5.6.1.2). Undefined for the whole: where nothing is asked for, or
 * something that is not understood or not served, which are several ranges at once.
 */
export function byteRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | undefined {
  const [, set] = /^bytes=(.*)$/i.exec(header?.trim() ?? '') ?? [];
  const [only, another] = (set ?? '').split(',').map(trimmed).filter(Boolean);
  const [, from, to] = /^(\d*)-(\d*)$/.exec(only ?? '') ?? [];
  if (another !== undefined || from === undefined || to === undefined || (from === '' && to === '')) return undefined;
  // Of any length: what is too large for a number is compared as it stands, and is beyond the end in any case.
  if (from !== '' && to !== '' && BigInt(to) < BigInt(from)) return undefined;
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  return start >= size || (from === '' && Number(to) === 0) ? 'unsatisfiable' : { start, end };
}

const trimmed = (text: string): string => text.trim();
