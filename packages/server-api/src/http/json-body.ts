import { MAX_NESTING, TandemError } from '@tandem/core';
import Ajv, { type ErrorObject } from 'ajv';
import { parseUuid } from './path';

/** What a schema can ask of a text beyond its length: the sentence says it without showing an expression. */
const FORMATS: Readonly<Record<string, { fits(text: string): boolean; readonly sentence: string }>> = {
  uuid: { fits: (text) => parseUuid(text) !== undefined, sentence: 'must be a UUID' },
  'without-nul': { fits: (text) => !text.includes('\u0000'), sentence: 'must not hold the character U+0000' },
};

const ajv = new Ajv({ strict: true, allowUnionTypes: true });
for (const [name, { fits }] of Object.entries(FORMATS)) ajv.addFormat(name, { type: 'string', validate: fits });
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** @returns what gives the value back when it has the shape, and else throws TandemError BAD_REQUEST */
export function shapeChecker<T>(schema: object): (value: unknown) => T {
  const fits = ajv.compile<T>(schema);
  return (value) => {
    if (fits(value)) return value;
    throw new TandemError('BAD_REQUEST', { message: complaint(fits.errors?.[0]) });
  };
}

export interface JsonBody<T = unknown> {
  readonly value: T;
  /** As it was sent: numbers keep their own text there. */
  readonly text: string;
}

/**
 * JSON by the standard's rules, unlike what devices may send. Undefined when it is not, or nested deeper than what can
 * be written again.
 */
export function parseStrictly(bytes: Buffer): JsonBody | undefined {
  try {
    const text = utf8.decode(bytes);
    return nestedTooDeep(text) ? undefined : { value: JSON.parse(text), text };
  } catch {
    return undefined;
  }
}

/** One walk, whatever the text holds; only what JSON.parse refuses is walked in vain. */
function nestedTooDeep(text: string): boolean {
  let nesting = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') inString = !inString;
    else if (inString) at += character === '\\' ? 1 : 0;
    else if (character === '{' || character === '[') nesting++;
    else if (character === '}' || character === ']') nesting--;
    if (nesting > MAX_NESTING) return true;
  }
  return false;
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Names the member and what is wrong with it; never its value, which can be a secret. */
function complaint(error: ErrorObject | undefined): string {
  return `body${(error?.instancePath ?? '').replaceAll('/', '.')} ${fault(error)}`;
}

function fault(error: ErrorObject | undefined): string {
  const { allowedValues, format } = (error?.params ?? {}) as { allowedValues?: unknown[]; format?: string };
  if (allowedValues) return `must be one of ${allowedValues.filter((value) => value !== null).join(', ')}`;
  return (format && FORMATS[format]?.sentence) ?? error?.message ?? 'is not valid';
}
