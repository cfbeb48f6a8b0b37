import { isOnlySecretName, isSecretName, REDACTED, redactText } from './redact-text';

/** Paths of the device API, as CoAP has them: a list of segments. */
const BEFORE_A_TOKEN: readonly (readonly string[])[] = [['api', 'v1'], ['fw'], ['sw']];

/** A JSON.stringify replacer: the last guard before a line is written. */
export function redact(this: unknown, name: string, value: unknown): unknown {
  if (isSecretName(name) && value != null && typeof value !== 'boolean') return REDACTED;
  if (typeof value === 'string') return redactText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return redactText(value.stack ?? value.message);
  if (Array.isArray(value)) return redactList(value);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  return isBuffer(value) ? `[${value.data.length} bytes]` : redactObject(value);
}

/** What `toJSON` has made of a Buffer: bytes as numbers, which nobody reads and which may be a token. */
const isBuffer = (value: object): value is { readonly data: readonly unknown[] } =>
  'type' in value && value.type === 'Buffer' && 'data' in value && Array.isArray(value.data);

/** Segments of a path, and headers as they came: names and values by turns. */
function redactList(list: readonly unknown[]): readonly unknown[] {
  return list.map((item, at) => {
    if (typeof item !== 'string') return item;
    const before = list[at - 1];
    const afterName = typeof before === 'string' && isOnlySecretName(before);
    return afterName || isAfterPath(list, at) ? REDACTED : item;
  });
}

const isAfterPath = (list: readonly unknown[], at: number): boolean =>
  BEFORE_A_TOKEN.some(
    (path) => at >= path.length && path.every((segment, n) => list[at - path.length + n] === segment),
  );

/** Names of members that are secrets themselves, as in a table by path; and pairs of a name and its value. */
function redactObject(value: object): object {
  const entries = Object.entries(value);
  const label = entries.find(([name]) => name === 'name' || name === 'key')?.[1];
  const isPair = typeof label === 'string' && isOnlySecretName(label);
  if (!isPair && entries.every(([name]) => redactText(name) === name)) return value;
  return Object.fromEntries(
    entries.map(([name, member]) => [redactText(name), isPair && name === 'value' ? REDACTED : member]),
  );
}
