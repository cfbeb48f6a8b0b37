import { read, readExactly, TooLong } from '../server.js';

export interface Attribute {
  readonly key: string;
  readonly value: unknown;
  readonly lastUpdateTs: unknown;
}

interface Read {
  readonly found: readonly Attribute[];
  /** Keys whose values are too long. */
  readonly left: readonly string[];
}

/** Of an address, in characters. */
const LONGEST_QUERY = 4000;

/** All attributes of a scope; where they are too long together, in portions, without those that are too long by themselves. */
export async function readAttributes(path: string, keysPath: string, signal: AbortSignal): Promise<Read> {
  try {
    return { found: await readExactly<Attribute[]>(path, signal), left: [] };
  } catch (error) {
    if (!(error instanceof TooLong)) throw error;
    return readSome(path, await read<string[]>(keysPath, signal), signal);
  }
}

async function readSome(path: string, keys: readonly string[], signal: AbortSignal): Promise<Read> {
  if (keys.length === 0) return { found: [], left: [] };
  const wanted = new URLSearchParams({ keys: keys.join(',') });
  if (keys.length > 1 && String(wanted).length > LONGEST_QUERY) return readHalves(path, keys, signal);
  try {
    return { found: await readExactly<Attribute[]>(`${path}?${wanted}`, signal), left: [] };
  } catch (error) {
    if (!(error instanceof TooLong)) throw error;
    return keys.length === 1 ? { found: [], left: keys } : readHalves(path, keys, signal);
  }
}

async function readHalves(path: string, keys: readonly string[], signal: AbortSignal): Promise<Read> {
  const half = Math.ceil(keys.length / 2);
  // One after the other: each is megabytes.
  const one = await readSome(path, keys.slice(0, half), signal);
  const other = await readSome(path, keys.slice(half), signal);
  return { found: [...one.found, ...other.found], left: [...one.left, ...other.left] };
}
