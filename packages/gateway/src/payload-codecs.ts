import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BUILT_IN_CODECS, faultOfCodec, type PayloadCodec } from '@tandem/core';

/**
 * The codecs that TANDEM_PAYLOAD_CODECS names: each module's default export is one, or a list of them.
 * @param paths of ES or CommonJS modules, relative to where the process was started
 * @throws Error in one line that names the setting and the file
 */
export async function loadPayloadCodecs(paths: readonly string[]): Promise<readonly PayloadCodec[]> {
  const codecs: PayloadCodec[] = [];
  for (const path of paths) {
    const exported = await load(path);
    const candidates = Array.isArray(exported) ? (exported as readonly unknown[]) : [exported];
    if (candidates.length === 0) throw refused(path, 'exports an empty list');
    for (const [index, candidate] of candidates.entries()) {
      const fault = faultOfCodec(candidate, [...BUILT_IN_CODECS, ...codecs]);
      const which = Array.isArray(exported) ? `codec ${index + 1} of it` : 'its default export';
      if (fault !== undefined) throw refused(path, `${which} ${fault}`);
      codecs.push(candidate as PayloadCodec);
    }
  }
  return codecs;
}

async function load(path: string): Promise<unknown> {
  let module: Record<string, unknown>;
  try {
    module = await import(pathToFileURL(resolve(path)).href);
  } catch (error) {
    throw refused(path, `cannot be loaded: ${error instanceof Error ? error.message : String(error)}`);
  }
  const exported = module.default;
  if (exported === undefined) throw refused(path, 'has no default export');
  // What compilers make of `export default` in CommonJS.
  const compiled = typeof exported === 'object' && exported !== null && '__esModule' in exported;
  return compiled ? (exported as Record<string, unknown>).default : exported;
}

const refused = (path: string, why: string): Error => new Error(`TANDEM_PAYLOAD_CODECS: ${path}: ${why}`);
