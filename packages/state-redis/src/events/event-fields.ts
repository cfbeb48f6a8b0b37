import { type AttributeEvent, type KeyValue, trustedValue } from '@tandem/core';

/** An entry of a stream as Redis answers it. */
export type StreamEntry = readonly [id: string, fields: readonly string[]];

/** The entries of a save as the event has them: `["key","value text",...]`. */
export const renderEntries = (entries: readonly KeyValue[]): string =>
  JSON.stringify(entries.flatMap(({ key, value }) => [key, value]));

/**
 * `<offset>-0` with the fields ts, and either set, as `renderEntries` makes it, or del, a JSON array of keys; then trace, where
 * it was written in one.
 */
export function eventOf([id, [, ts, kind, text = '[]', , trace]]: StreamEntry): AttributeEvent {
  const items = JSON.parse(text) as string[];
  const updated = kind === 'set' ? entriesOf(items) : [];
  const event = { offset: Number.parseInt(id, 10), ts: Number(ts), updated, deleted: kind === 'del' ? items : [] };
  return trace === undefined ? event : { ...event, trace };
}

/** Of `renderEntries`, once it is parsed. */
export function entriesOf(items: readonly string[]): KeyValue[] {
  const entries: KeyValue[] = [];
  for (let i = 0; i < items.length; i += 2) {
    entries.push({ key: items[i] ?? '', value: trustedValue(items[i + 1] ?? '') });
  }
  return entries;
}
