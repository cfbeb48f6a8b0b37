import { isStorableText, MAX_NESTING, MAX_VALUES, STORABLE_SENTENCE, TandemError } from '@tandem/core';
import Ajv, { type ErrorObject, type ValidateFunction } from 'ajv';
import { parseUuid } from './path';

/** What a schema can ask of a text beyond its length: the sentence says it without showing an expression. */
const FORMATS: Readonly<Record<string, { fits(text: string): boolean; readonly sentence: string }>> = {
  uuid: { fits: (text) => parseUuid(text) !== undefined, sentence: 'must be a UUID' },
  'storable-text': { fits: isStorableText, sentence: STORABLE_SENTENCE },
  delimiter: {
    fits: (text) => isStorableText(text) && /^[^"\r\n]$/u.test(text),
    sentence: 'must be one character that is neither a quotation mark nor a line break',
  },
};

const ajv = new Ajv({ strict: true, allowUnionTypes: true });
for (const [name, { fits }] of Object.entries(FORMATS)) ajv.addFormat(name, { type: 'string', validate: fits });
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * @returns what gives the value back when it has the shape, and else throws TandemError BAD_REQUEST. The schema is compiled
 * with the first value: compiling them all would be a seventh of the start of a gateway.
 */
export function shapeChecker<T>(schema: object): (value: unknown) => T {
  let compiled: ValidateFunction<T> | undefined;
  return (value) => {
    compiled ??= ajv.compile<T>(schema);
    const fits = compiled;
    if (fits(value)) return value;
    throw new TandemError('BAD_REQUEST', { message: complaint(fits.errors?.[0]) });
  };
}

export interface JsonBody<T = unknown> {
  readonly value: T;
  /** As it was sent: numbers keep their own text there. */
  readonly text: string;
}

/** Of a comma, a colon and an opening bracket a value has at most one of each. */
const SEPARATORS_MAX = 3 * MAX_VALUES;

/**
 * JSON by the standard's rules, unlike what devices may send. Undefined when it is not, or nested deeper than what can
 * be written again.
 * @throws TandemError BAD_PAYLOAD for more values than one body may hold
 */
export function parseStrictly(bytes: Buffer): JsonBody | undefined {
  const text = textOf(bytes);
  if (text === undefined || nestedTooDeep(text)) return undefined;
  try {
    return { value: JSON.parse(text), text };
  } catch {
    return undefined;
  }
}

function textOf(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

const [QUOTE, COMMA, COLON, BACKSLASH] = [0x22, 0x2c, 0x3a, 0x5c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * One walk, whatever the text holds; only what JSON.parse refuses is walked in vain. JSON.parse makes hundreds of bytes of
 * some characters: what would be refused for its number of values is refused before.
 * @throws TandemError BAD_PAYLOAD
 */
function nestedTooDeep(text: string): boolean {
  let nesting = 0;
  let separators = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at);
        break;
      case OPEN_LIST:
      case OPEN_OBJECT:
        separators++;
        if (++nesting > MAX_NESTING) return true;
        break;
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        nesting--;
        break;
      case COMMA:
      case COLON:
        separators++;
        break;
    }
    if (separators > SEPARATORS_MAX) {
      throw new TandemError('BAD_PAYLOAD', { message: `The request body holds more than ${MAX_VALUES} values` });
    }
  }
  return false;
}

/** @returns where its closing quote is, or the end of the text */
function endOfString(text: string, quote: number): number {
  let at = quote + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at;
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
