import type { RateLimit } from '../state/rate-counters';
import type { Setting } from './setting';

/** `count:seconds,...` of contract 1.8: several limits hold at the same time. Empty is none. */
export const rateLimits = (doc: string, fallback = ''): Setting<readonly RateLimit[]> => ({
  type: 'count:seconds,...',
  default: fallback,
  doc,
  parse: (value) => (value === '' ? [] : [...new Set(value.split(',').map((item) => item.trim()))].map(parseLimit)),
});

function parseLimit(item: string): RateLimit {
  const [, count, seconds] = /^(\d{1,12}):(\d{1,9})$/.exec(item) ?? [];
  const limit = { count: Number(count ?? 0), seconds: Number(seconds ?? 0) };
  if (limit.count < 1 || limit.seconds < 1) throw new Error('must look like 100:1,2000:60');
  return limit;
}
