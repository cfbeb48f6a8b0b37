import { int32Parameter, malformedParameter } from '../platform/int32-parameter';

/** Which part of a package is asked for (contract 7.3). */
export interface DownloadCut {
  /** Bytes of a chunk; below 1: the whole, and `chunk` says nothing. */
  readonly size: number;
  readonly chunk: number;
}

export const WHOLE: DownloadCut = { size: 0, chunk: 0 };

/**
 * The parameters `size` and `chunk`, as text; absent and empty are 0.
 * @throws TandemError BAD_REQUEST for what is no signed 32-bit integer, and for a chunk before the first one
 */
export function downloadCut(size: string | undefined, chunk: string | undefined): DownloadCut {
  if (!size && !chunk) return WHOLE;
  const cut = { size: integer('size', size), chunk: integer('chunk', chunk) };
  if (cut.size > 0 && cut.chunk < 0) throw malformedParameter('chunk');
  return cut;
}

/** Where the part lies in a package of `length` bytes. One behind the end has no bytes. */
export function partOf(
  { size, chunk }: DownloadCut,
  length: number,
): { readonly start: number; readonly length: number } {
  if (size < 1) return { start: 0, length };
  const start = Math.min(size * chunk, length);
  return { start, length: Math.min(size, length - start) };
}

const integer = (name: string, text: string | undefined): number => (text ? int32Parameter(name, text) : 0);
