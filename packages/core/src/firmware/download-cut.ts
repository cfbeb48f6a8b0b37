import { TandemError } from '../errors';

/** Which part of a package is asked for (contract 7.3). */
export interface DownloadCut {
  /** Bytes of a chunk; below 1: the whole, and `chunk` says nothing. */
  readonly size: number;
  readonly chunk: number;
}

export const WHOLE: DownloadCut = { size: 0, chunk: 0 };

const INT32 = 2_147_483_648;

/**
 * The parameters `size` and `chunk`, as text; absent and empty are 0.
 * @throws TandemError BAD_REQUEST for what is no signed 32-bit integer, and for a chunk before the first one
 */
export function downloadCut(size: string | undefined, chunk: string | undefined): DownloadCut {
  if (!size && !chunk) return WHOLE;
  const cut = { size: integer('size', size), chunk: integer('chunk', chunk) };
  if (cut.size > 0 && cut.chunk < 0) throw malformed('chunk');
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

function integer(name: string, text: string | undefined): number {
  if (!text) return 0;
  const value = Number(text);
  if (!/^[+-]?\d{1,32}$/.test(text) || value >= INT32 || value < -INT32) throw malformed(name);
  return value;
}

const malformed = (name: string) => new TandemError('BAD_REQUEST', { message: `Parameter '${name}' is malformed` });
