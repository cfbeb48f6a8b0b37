import type { Setting } from './setting';

/** How many bytes a body may have on the paths that fit a pattern. */
export interface PayloadLimit {
  readonly pattern: RegExp;
  readonly bytes: number;
}

/**
 * `pattern=bytes;...` of contract 1.7: `*` is one segment, `**` any number of them (also none); the first pattern that
 * fits a path applies.
 */
export const payloadLimits = (fallback: string, doc: string): Setting<readonly PayloadLimit[]> => ({
  type: 'pattern=bytes;...',
  unit: 'bytes',
  default: fallback,
  doc,
  parse: (value) => value.split(';').filter(Boolean).map(parseLimit),
});

function parseLimit(item: string): PayloadLimit {
  const at = item.lastIndexOf('=');
  const bytes = item.slice(at + 1);
  if (!item.startsWith('/') || at < 0 || !/^\d{1,15}$/.test(bytes)) {
    throw new Error('must look like /api/v1/*/rpc/**=65536;/api/v1/**=52428800');
  }
  const segments = item
    .slice(1, at)
    .split('/')
    .map((segment) => (segment === '**' ? '(?:/.*)?' : `/${segment.split('*').map(escapeRegExp).join('[^/]*')}`));
  return { pattern: new RegExp(`^${segments.join('')}$`), bytes: Number(bytes) };
}

const escapeRegExp = (literal: string) => literal.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** The limit of a path, or undefined where none applies. @param paths the one path, in every form it may be written in */
export function payloadLimitOf(limits: readonly PayloadLimit[], ...paths: readonly string[]): number | undefined {
  return limits.find(({ pattern }) => paths.some((path) => pattern.test(path)))?.bytes;
}
