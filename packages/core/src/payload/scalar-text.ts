import { type JsonNode, JsonNumber } from './json-node';

/** A string, a number by its source text or a boolean, as text; undefined for null, an object or an array. */
export function scalarText(node: JsonNode): string | undefined {
  if (typeof node === 'string') return node;
  if (node instanceof JsonNumber) return node.text;
  return typeof node === 'number' || typeof node === 'boolean' ? String(node) : undefined;
}
