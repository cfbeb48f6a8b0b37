/** A value of JSON as it stood in the text: `42.0` is not `42`, and whole numbers keep all their digits. */
export interface ExactValue {
  readonly type: 'text' | 'number' | 'boolean' | 'json';
  /** As it is shown and edited; of a text without the quotes. */
  readonly text: string;
}

type WithSource = (this: unknown, key: string, value: unknown, context?: { readonly source?: string }) => unknown;

/** Numbers keep their text where the browser gives it (ECMAScript's JSON.parse source text access). */
class ExactNumber {
  constructor(readonly source: string) {}
}

const keepNumbers: WithSource = (_key, value, context) =>
  typeof value === 'number' && context?.source !== undefined ? new ExactNumber(context.source) : value;

/** Reads JSON; the numbers in it are for `exactValue` alone. */
export const parseExactly = (text: string): unknown =>
  JSON.parse(text, keepNumbers as (key: string, value: unknown) => unknown);

export function exactValue(value: unknown): ExactValue {
  if (typeof value === 'string') return { type: 'text', text: value };
  if (typeof value === 'boolean') return { type: 'boolean', text: String(value) };
  if (value instanceof ExactNumber) return { type: 'number', text: value.source };
  if (typeof value === 'number') return { type: 'number', text: String(value) };
  return { type: 'json', text: write(value) };
}

/** What a plain number is for whom the digits do not matter. */
export const plainNumber = (value: unknown): number => Number(value instanceof ExactNumber ? value.source : value);

function write(value: unknown): string {
  if (value instanceof ExactNumber) return value.source;
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}:${write(member)}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value);
}

/** The JSON of what somebody typed, digit by digit. @throws Error with a sentence where it is no such value */
export function jsonOf({ type, text }: ExactValue): string {
  if (type === 'text') return JSON.stringify(text);
  const given = text.trim();
  if (type === 'boolean') {
    if (given === 'true' || given === 'false') return given;
    throw new Error('A boolean is true or false.');
  }
  let value: unknown;
  try {
    value = JSON.parse(given);
  } catch {
    throw new Error(type === 'number' ? `${given || 'Nothing'} is not a number.` : 'That is not valid JSON.');
  }
  if (type === 'number' && typeof value !== 'number') throw new Error(`${given} is not a number.`);
  return given;
}
