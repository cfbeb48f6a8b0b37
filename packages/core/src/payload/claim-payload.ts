import type { ClaimRequest } from '../claiming/claiming';
import type { Millis } from '../platform/clock';
import { badPayload, cannotParseValue } from './bad-payload';
import { isZero, parseDecimal, wholeDigits } from './decimal';
import { type JsonNode, JsonNumber, JsonObject } from './json-node';
import { readJson } from './json-reader';
import { scalarText } from './scalar-text';

/**
 * What a device says so that a user can have it: nothing, as white space is, or an object with `secretKey` and `durationMs`, both of which may
 * be left out (contract 6.1).
 * @throws TandemError BAD_PAYLOAD
 */
export function parseClaim(source: Buffer | string): ClaimRequest {
  const text = source.toString();
  if (text.trim() === '') return {};
  const root = readJson(text);
  if (!(root instanceof JsonObject)) throw cannotParseValue(root);
  const [secretKey, durationMs] = [root.get('secretKey'), root.get('durationMs')];
  return {
    ...(secretKey === undefined ? {} : { secretKey: secretText(secretKey) }),
    ...(durationMs === undefined ? {} : { durationMs: duration(durationMs) }),
  };
}

function secretText(node: JsonNode): string {
  const text = scalarText(node);
  if (text === undefined) throw badPayload('`secretKey` is not a string');
  return text;
}

/** Digits of 2^53 - 1: whoever asks for longer asks for ever. */
const MAX_DURATION_DIGITS = 16;

function duration(node: JsonNode): Millis {
  if (typeof node === 'number') return node;
  const text = node instanceof JsonNumber ? node.text : node;
  if (typeof text !== 'string' || (typeof node === 'string' && !/^-?\d+$/.test(node))) {
    throw badPayload('`durationMs` is not a whole number of milliseconds');
  }
  const decimal = parseDecimal(text);
  if (!isZero(decimal) && decimal.digits.length - decimal.scale > MAX_DURATION_DIGITS) {
    return decimal.negative ? -Number.MAX_SAFE_INTEGER : Number.MAX_SAFE_INTEGER;
  }
  const whole = Math.min(Number(wholeDigits(decimal)), Number.MAX_SAFE_INTEGER);
  return decimal.negative ? -whole : whole;
}
