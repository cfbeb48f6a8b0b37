import { TandemError } from '../../../errors';
import { readSchema } from '../read-schema';
import type { ProtoField, ProtoMessage } from '../schema';
import { SchemaFaults } from '../schema-faults';

const LIMITS = { maxBytes: 65_536, maxTypes: 10, maxFields: 20, maxNesting: 4 };
export const HEAD = 'syntax = "proto3";\n';

export const read = (source: string) => readSchema(source, LIMITS, new SchemaFaults('schema'));

/** Which fault it is refused with, or `none`. */
export const faultOf = (source: string): string => {
  try {
    read(source);
  } catch (error) {
    if (error instanceof TandemError && error.code === 'BAD_REQUEST') return error.message;
    throw error;
  }
  return 'none';
};
const typeOf = ({ type }: ProtoField) => (type.kind === 'message' ? shape(type) : type.name);

/** Names and numbers, of messages within it as well. */
export const shape = ({ name, fields }: ProtoMessage): unknown => [
  name,
  ...fields.map((field) => [field.number, field.name, typeOf(field)]),
];
