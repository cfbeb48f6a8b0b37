import { parse, Root } from 'protobufjs';
import type { ProtoField, ProtoMessage } from './schema';
import type { SchemaFaults } from './schema-faults';
import { SchemaGuard, type SchemaLimits } from './schema-guard';
import { packageFirst, sourceOf, type Token, tokensOf } from './schema-tokens';
import { SchemaTypes } from './schema-types';

/** A schema, and where it says what it says. */
export interface ReadSchema {
  /** The last message at the top: the one that payloads are (device contract 4.4). */
  readonly message: ProtoMessage;
  /** Line of the message, or of one of its fields. */
  lineOf(field?: ProtoField): number;
}

/**
 * Reads a proto3 source (device contract 4.4, server contract 4.3). What that costs is bounded by the limits, whatever the
 * source holds.
 * @throws TandemError BAD_REQUEST
 */
export function readSchema(source: string, limits: SchemaLimits, faults: SchemaFaults): ReadSchema {
  if (Buffer.byteLength(source) > limits.maxBytes) {
    throw faults.inAll(`the schema is longer than ${limits.maxBytes} bytes`);
  }
  const guard = new SchemaGuard(limits, faults);
  const tokens: Token[] = [];
  for (const token of tokensOf(source, faults)) {
    guard.take(token);
    tokens.push(token);
  }
  const notes = guard.end();
  const checked = sourceOf(packageFirst(tokens.filter((token) => !notes.leftOut.has(token))));
  const types = new SchemaTypes(parsed(checked, faults), notes, limits, faults);
  const message = types.lastMessage();
  return { message, lineOf: (field) => types.lineOf(message.name, field?.name) };
}

/** Comments are gone by now, and so is everything that the parser would read otherwise than it was checked. */
function parsed(source: string, faults: SchemaFaults): Root {
  try {
    return parse(source, new Root(), { keepCase: true }).root;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const [, what = text, line = '1'] = /^(.*) \(line (\d+)\)$/s.exec(text) ?? [];
    throw faults.at(Number(line), what);
  }
}
