/** Reads JSON as text, since `JSON.parse` cannot tell `42` from `42.0`. */

/** The texts of the elements of an array. */
export const elements = (array: string): string[] => parts(array);

/** The texts of the members of an object. */
export function members(object: string): Map<string, string> {
  return new Map(
    parts(object).map((member) => {
      const [name = ''] = /^"(?:[^"\\]|\\.)*"/.exec(member) ?? [];
      return [JSON.parse(name) as string, member.slice(name.length + 1)];
    }),
  );
}

/** What stands between the commas of an object or array, without that of the inner ones. */
function parts(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 1;
  for (const { 0: piece, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],]/g)) {
    if (piece === '{' || piece === '[') depth++;
    if (piece === '}' || piece === ']') depth--;
    const ends = depth === 0 ? index > start : depth === 1 && piece === ',';
    if (ends) found.push(text.slice(start, index));
    if (ends) start = index + 1;
  }
  return found;
}

/**
 * `LONG 42`, `DOUBLE 42.0`, `STRING "x"`: type and JSON text of a value, the way the contract writes what is stored. A
 * DOUBLE is written as JavaScript does, whatever its exponent looks like at the gateway.
 */
export function typed(json: string): string {
  if (json.startsWith('"')) return `STRING ${json}`;
  if (json === 'true' || json === 'false') return `BOOLEAN ${json}`;
  if (json.startsWith('{') || json.startsWith('[')) return `JSON ${json}`;
  if (!/[.eE]/.test(json)) return `LONG ${json}`;
  const value = Number(json);
  return `DOUBLE ${value}${Number.isInteger(value) ? '.0' : ''}`;
}
