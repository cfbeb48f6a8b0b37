/** A value of JSON as it stood in the text: `42.0` is not `42`, and whole numbers keep all their digits. */
export interface ExactValue {
  readonly type: 'text' | 'number' | 'boolean' | 'json';
  /** As it is shown and edited; of a text without the quotes. */
  readonly text: string;
}

type WithSource = (this: unknown, key: string, value: unknown, context?: { readonly source?: string }) => unknown;

class ExactNumber {
  constructor(readonly source: string) {}
}

const keepNumbers: WithSource = (_key, value, context) =>
  typeof value === 'number' && context?.source !== undefined ? new ExactNumber(context.source) : value;

/** Whether the browser hands out how a number stood in the text (ECMAScript's JSON.parse source text access). */
const GIVES_SOURCE = 'rawJSON' in JSON;

/** Reads JSON; the numbers in it are for `exactValue` alone. */
export const parseExactly = (text: string): unknown =>
  GIVES_SOURCE ? JSON.parse(text, keepNumbers as (key: string, value: unknown) => unknown) : parseMarked(text);

const START = /["\d-]/g;
const AFTER_NUMBER = /[^\d.eE+-]/g;

/**
 * As `parseExactly` for browsers that do not hand out the source: each text and name gets a letter in front, each number becomes
 * a text with another one.
 */
export function parseMarked(text: string): unknown {
  // What is no JSON is told as such, before it is changed.
  JSON.parse(text);
  let marked = '';
  let at = 0;
  while (at < text.length) {
    START.lastIndex = at;
    const next = START.exec(text)?.index;
    if (next === undefined) break;
    marked += text.slice(at, next);
    at = next;
    const end = text[at] === '"' ? endOfText(text, at) : endOfNumber(text, at);
    marked += text[at] === '"' ? `"t${text.slice(at + 1, end)}` : `"n${text.slice(at, end)}"`;
    at = end;
  }
  return JSON.parse(marked + text.slice(at), unmark);
}

function endOfNumber(text: string, from: number): number {
  AFTER_NUMBER.lastIndex = from;
  return AFTER_NUMBER.exec(text)?.index ?? text.length;
}

function endOfText(text: string, from: number): number {
  let at = from + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function unmark(_key: string, value: unknown): unknown {
  if (typeof value === 'string') return value.startsWith('t') ? value.slice(1) : new ExactNumber(value.slice(1));
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name.slice(1), member]));
}

export function exactValue(value: unknown): ExactValue {
  if (typeof value === 'string') return { type: 'text', text: value };
  if (typeof value === 'boolean') return { type: 'boolean', text: String(value) };
  if (value instanceof ExactNumber) return { type: 'number', text: value.source };
  if (typeof value === 'number') return { type: 'number', text: String(value) };
  return { type: 'json', text: jsonText(value) };
}

/** What a plain number is for whom the digits do not matter. */
export const plainNumber = (value: unknown): number => Number(value instanceof ExactNumber ? value.source : value);

/** The JSON of what was read exactly. */
export function jsonText(value: unknown): string {
  if (value instanceof ExactNumber) return value.source;
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}:${jsonText(member)}`);
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
