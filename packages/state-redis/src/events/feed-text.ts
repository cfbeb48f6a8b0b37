import { type AttributeScope, decodeRecords, type UncountedChange } from '@tandem/core';
import { entriesOf } from './event-fields';

/** How scripts name the scopes. */
export const SCOPE_LETTER: Readonly<Record<AttributeScope, string>> = { CLIENT: 'c', SHARED: 's', SERVER: 'v' };
const SCOPE_OF: Readonly<Record<string, AttributeScope>> = { c: 'CLIENT', s: 'SHARED', v: 'SERVER' };

/**
 * A change as scripts publish it on the feed of a device (lua/parts/feed.lua):
 *
 *   t <lines>                                   a message of the telemetry log
 *   s <scope> <time stamp> ["key","value",...]  a save of attributes
 *   d <scope> <time stamp> ["key",...]          a deletion
 *
 * @returns undefined for any other text
 */
export function changeOf(text: string): UncountedChange | undefined {
  try {
    if (text.startsWith('t ')) return { kind: 'telemetry', records: [...decodeRecords(text.slice(2))] };
    const [start = '', kind, letter = '', time] = /^([sd]) ([csv]) (-?\d+) /.exec(text) ?? [];
    const scope = SCOPE_OF[letter];
    if (!scope) return undefined;
    const ts = Number(time);
    const items = JSON.parse(text.slice(start.length)) as string[];
    if (kind === 's') return { kind: 'saved', scope, entries: entriesOf(items), ts };
    return { kind: 'deleted', scope, keys: items, ts };
  } catch {
    return undefined;
  }
}
